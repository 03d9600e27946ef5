"""The body of a message in a function's event.

AWS: the message's body as it was sent.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html

LocalStack 2026.3.0: parses a JSON body and writes it again: white space, escapes and numbers change.

Here: as it was sent. Filters still use the parsed body.
"""

from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller


def apply() -> None:
    """Wrap the handling of messages, and the filter in it: messages that pass it get their original bodies back."""
    handle, filter_events = SqsPoller.handle_messages, SqsPoller.filter_events

    def handle_with_bodies(self, messages):
        self._bodies = {message["MessageId"]: message["Body"] for message in messages}
        return handle(self, messages)

    def filter_and_restore(self, events):
        passed = filter_events(self, events)
        for event in passed:
            event["body"] = self._bodies[event["messageId"]]
        return passed

    SqsPoller.handle_messages, SqsPoller.filter_events = handle_with_bodies, filter_and_restore
