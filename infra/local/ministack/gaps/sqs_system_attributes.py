"""The trace header of a message that is sent by a form.

AWS: SendMessage takes the system attribute AWSTraceHeader, by which the one that reads a message goes on with the sender's trace.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html

MiniStack 1.5.33: reads it in calls of JSON only; in forms, which API Gateway sends, it passes over it.

Here: it is read in both.
"""

from ministack.services import sqs


def apply() -> None:
    """Wrap the reading of a form."""
    normalise = sqs._normalise

    def normalise_with_system_attributes(action: str, params: dict) -> dict:
        data = normalise(action, params)
        attributes = _system_attributes(params) if action == "SendMessage" else {}
        return {**data, "MessageSystemAttributes": attributes} if attributes else data

    sqs._normalise = normalise_with_system_attributes


def _system_attributes(params: dict) -> dict:
    found, number = {}, 1
    while name := sqs._p(params, f"MessageSystemAttribute.{number}.Name"):
        value = f"MessageSystemAttribute.{number}.Value"
        found[name] = {kind: sqs._p(params, f"{value}.{kind}") for kind in ("DataType", "StringValue")}
        number += 1
    return found
