"""Checks of SQS on a message.

AWS: a message has at most ten attributes with different names. A name has 1–256 characters `A–Z a–z 0–9 _ - .` and does not start
with `AWS.` or `Amazon.`. The type is String, Number or Binary, and the value is not empty. Strings may contain the characters of a
body. Attributes count towards the size of the message.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html

MiniStack 1.5.33: checks and counts only the body.

Here: a violation is InvalidParameterValue, 400.
"""

import re

from ministack.services import sqs

_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_RESERVED = re.compile(r"(?:aws|amazon)\.", re.IGNORECASE)
_TYPE = re.compile(r"(String|Number|Binary)(?:\..+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MAX_ATTRIBUTES = 10


def apply() -> None:
    """Wrap SendMessage; SendMessageBatch calls it for each entry."""
    send = sqs._act_send_message

    def send_checked(data, url):
        attributes = data.get("MessageAttributes") or {}
        if len(attributes) > _MAX_ATTRIBUTES:
            raise _invalid(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{_MAX_ATTRIBUTES}].")
        for name, attribute in attributes.items():
            _check(name, attribute)
        _check_size(data, attributes, url)
        return send(data, url)

    sqs._act_send_message = send_checked
    sqs._HANDLERS["SendMessage"] = send_checked


def _check(name: str, attribute: dict) -> None:
    if not _NAME.fullmatch(name) or _RESERVED.match(name):
        raise _invalid(f"The message attribute name '{name}' is invalid.")
    kind = _TYPE.fullmatch(attribute.get("DataType") or "")
    if not kind:
        raise _invalid(f"The type of message attribute '{name}' is invalid. Use String, Number or Binary.")
    value = attribute.get("BinaryValue" if kind[1] == "Binary" else "StringValue")
    if not value:
        raise _invalid(f"The message attribute '{name}' must contain a non-empty message attribute value.")
    if kind[1] != "Binary" and sqs._INVALID_SQS_CHARS_RE.search(value):
        raise _invalid(f"Message (user) attribute '{name}' value contains characters outside the allowed set.")
    if kind[1] == "Number" and not _NUMBER.fullmatch(value):
        raise _invalid(f"Can't cast the value of message attribute '{name}' to a number.")


def _check_size(data: dict, attributes: dict, url: str) -> None:
    limit = int(sqs._get_q(data.get("QueueUrl", url))["attributes"].get("MaximumMessageSize", "1048576"))
    parts = [data.get("MessageBody") or ""]
    for name, attribute in attributes.items():
        parts += [name, attribute.get("DataType") or "", attribute.get("StringValue") or attribute.get("BinaryValue") or ""]
    if sum(len(part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")) for part in parts) > limit:
        raise _invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.")


def _invalid(message: str) -> Exception:
    return sqs._Err("InvalidParameterValue", message, 400)
