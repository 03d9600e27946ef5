"""The trace header of a message that is sent as a form.

AWS: SendMessage accepts the system attribute AWSTraceHeader, with which the receiver continues the sender's trace.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html

MiniStack 1.5.33: reads it in JSON calls, but ignores it in forms, which API Gateway sends.

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
