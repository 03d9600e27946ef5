"""Redrive from a dead-letter queue: StartMessageMoveTask and ListMessageMoveTasks.

AWS: moves messages from a dead-letter queue to its source queues or to a named queue.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html

MiniStack 1.5.33: answers that the actions do not exist.

Here: both actions. The move is complete when StartMessageMoveTask returns; messages in flight stay, as on AWS.
"""

import time
import uuid

from ministack.services import sqs

_tasks: list[dict] = []


def apply() -> None:
    """Register the actions."""
    sqs._HANDLERS["StartMessageMoveTask"] = _start
    sqs._HANDLERS["ListMessageMoveTasks"] = _list


def _start(data: dict, _url: str) -> dict:
    source_arn, destination_arn = data.get("SourceArn", ""), data.get("DestinationArn")
    source, destination = _source(source_arn), _destination(source_arn, destination_arn)
    now = time.time()
    moving = [message for message in source["messages"] if message["visible_at"] <= now]
    source["messages"] = [message for message in source["messages"] if message["visible_at"] > now]
    destination["messages"].extend(_as_new(message, now) for message in moving)
    sqs.esm_wake.set()
    task = {
        "TaskHandle": uuid.uuid4().hex,
        "Status": "COMPLETED",
        "SourceArn": source_arn,
        "ApproximateNumberOfMessagesMoved": len(moving),
        "ApproximateNumberOfMessagesToMove": len(moving),
        "StartedTimestamp": int(now * 1000),
        **({"DestinationArn": destination_arn} if destination_arn else {}),
    }
    _tasks.insert(0, task)
    return {"TaskHandle": task["TaskHandle"]}


def _list(data: dict, _url: str) -> dict:
    _source(data.get("SourceArn", ""))
    # A task has a handle only while it can be cancelled.
    found = [
        {name: value for name, value in task.items() if name != "TaskHandle"}
        for task in _tasks
        if task["SourceArn"] == data.get("SourceArn")
    ]
    return {"Results": found[: int(data.get("MaxResults") or 1)]}


def _source(arn: str) -> dict:
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        message = "The resource that you specified for the SourceArn parameter doesn't exist."
        raise sqs._Err("ResourceNotFoundException", message, 404)
    if not _sources_of(arn):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.", 400)
    return queue


def _destination(source_arn: str, arn: str | None) -> dict:
    queue = sqs._queue_by_arn(arn) if arn else _sources_of(source_arn)[0]
    if queue is None:
        message = "The resource that you specified for the DestinationArn parameter doesn't exist."
        raise sqs._Err("ResourceNotFoundException", message, 404)
    return queue


def _sources_of(arn: str) -> list[dict]:
    return [queue for queue in sqs._queues.values() if f'"{arn}"' in (queue["attributes"].get("RedrivePolicy") or "")]


def _as_new(message: dict, now: float) -> dict:
    system = {name: value for name, value in (message.get("sys") or {}).items() if name != "DeadLetterQueueSourceArn"}
    # "Redriven messages are considered new messages with a new messageID and enqueueTime."
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    return {**message, "id": str(uuid.uuid4()), "receipt_handle": None, "visible_at": now, "receive_count": 0, "first_receive_at": None, "sys": system}
