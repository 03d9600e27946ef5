"""Attributes of AWS::SNS::Topic.

AWS: the properties are the topic's attributes.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html

MiniStack 1.5.33: keeps only DisplayName. Any caller can use a topic with a disabled key, and a FIFO topic of a stack does not
deduplicate.

Here: a stack's topic has the attributes that CreateTopic would set. A later change in the stack is not applied.
"""

from ministack.services import sns
from ministack.services.cloudformation import provisioners

_ATTRIBUTES = (
    "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope", "TracingConfig", "SignatureVersion",
)  # fmt: skip


def apply() -> None:
    """Wrap the topic's create."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    create = handler["create"]

    def create_with_attributes(logical_id, properties, stack, *rest, **named):
        result = create(logical_id, properties, stack, *rest, **named)
        topic = sns._topics[result[0]]
        topic["attributes"].update({name: _text(properties[name]) for name in _ATTRIBUTES if name in properties})
        if topic["attributes"].get("FifoTopic") == "true":
            topic["attributes"].setdefault("ContentBasedDeduplication", "false")
            topic.update(dedup_cache={}, fifo_seq=0)
        return result

    handler["create"] = create_with_attributes


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
