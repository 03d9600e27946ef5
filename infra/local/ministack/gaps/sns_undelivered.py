"""Messages that SNS cannot deliver.

AWS: SNS sends it to the subscription's dead-letter queue, immediately if the endpoint is gone or does not permit the delivery.
https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html

MiniStack 1.5.33: drops a message for a queue or function that is gone, and a message for a queue that does not permit it.

Here: SNS sends it to the subscription's dead-letter queue, if that queue's policy lets SNS send.
"""

import json

from ministack.services import lambda_svc, sns


def apply() -> None:
    """Wrap the deliveries to queues and to functions."""
    to_queue, to_function = sns._deliver_to_sqs, sns._deliver_to_lambda

    def deliver_to_queue(endpoint, envelope, raw, raw_message, **more):
        topic = more.get("topic_arn", "")
        if not _is_open(endpoint, topic):
            endpoint = _dead_letter_queue(topic, "endpoint", endpoint)
        if endpoint:
            to_queue(endpoint, envelope, raw, raw_message, **more)

    def deliver_to_function(endpoint, envelope, topic, subscription, message_id, raw_message, attributes):
        function, config, _ = lambda_svc._get_func_record_for_ref(endpoint)
        if function and config:
            to_function(endpoint, envelope, topic, subscription, message_id, raw_message, attributes)
        elif queue := _dead_letter_queue(topic, "arn", subscription):
            to_queue(queue, envelope, False, raw_message, message_attributes=attributes, topic_arn=topic)

    sns._deliver_to_sqs, sns._deliver_to_lambda = deliver_to_queue, deliver_to_function


def _is_open(queue: str, topic: str) -> bool:
    account = topic.split(":")[4] if topic else sns.get_account_id()
    found = sns._sqs._queue_by_arn(queue)
    return bool(found) and sns._sqs.queue_policy_allows(queue, "sns.amazonaws.com", topic, account)


def _dead_letter_queue(topic: str, key: str, value: str) -> str | None:
    """ARN of the dead-letter queue of the topic's subscription with that value, if SNS may send to it."""
    subscriptions = (sns._topic_by_arn_any_scope(topic) or {}).get("subscriptions", [])
    attributes = next((each["attributes"] for each in subscriptions if each[key] == value), {})
    queue = json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    return queue if queue and _is_open(queue, topic) else None
