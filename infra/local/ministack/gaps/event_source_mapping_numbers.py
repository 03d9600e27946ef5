"""Numbers of AWS::Lambda::EventSourceMapping that come from parameters.

AWS: every parameter, also a Number, reaches a resource as text, and CloudFormation converts it to the property's type.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html

MiniStack 1.5.33: does not convert the text. With MaximumConcurrency from a parameter, the SQS poller always fails and delivers no
messages.

Here: the numeric properties are converted before the mapping is created or updated.
"""

from ministack.services.cloudformation import provisioners

_NUMBERS = ("BatchSize", "MaximumBatchingWindowInSeconds")


def apply() -> None:
    """Wrap the mapping's handlers."""
    mapping = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    create, update = mapping["create"], mapping["update"]

    def create_with_numbers(logical_id, properties, stack, *rest, **named):
        return create(logical_id, _converted(properties), stack, *rest, **named)

    def update_with_numbers(physical_id, old, new, *rest, **named):
        return update(physical_id, _converted(old), _converted(new), *rest, **named)

    mapping.update(create=create_with_numbers, update=update_with_numbers)


def _converted(properties: dict) -> dict:
    """The same properties, with digits converted to numbers."""
    converted = {**properties, **{name: _number(properties[name]) for name in _NUMBERS if name in properties}}
    scaling = properties.get("ScalingConfig")
    if isinstance(scaling, dict) and "MaximumConcurrency" in scaling:
        converted["ScalingConfig"] = {**scaling, "MaximumConcurrency": _number(scaling["MaximumConcurrency"])}
    return converted


def _number(value):
    return int(value) if isinstance(value, str) and value.isdecimal() else value
