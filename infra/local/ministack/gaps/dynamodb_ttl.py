"""TimeToLiveSpecification of AWS::DynamoDB::Table.

AWS: turns Time to Live on for the named attribute.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-timetolivespecification.html

MiniStack 1.5.33: the property is ignored; only the UpdateTimeToLive action works.

Here: creating or updating the table in a stack also does what UpdateTimeToLive does.
"""

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners


def apply() -> None:
    """Wrap the table's handlers."""
    table = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create, update = table["create"], table["update"]

    def create_with_ttl(logical_id, properties, stack, *rest, **named):
        result = create(logical_id, properties, stack, *rest, **named)
        _set(result[0], properties)
        return result

    def update_with_ttl(physical_id, old, new, *rest, **named):
        result = update(physical_id, old, new, *rest, **named)
        _set(result[0], new)
        return result

    table.update(create=create_with_ttl, update=update_with_ttl)


def _set(table: str, properties: dict) -> None:
    wanted = properties.get("TimeToLiveSpecification")
    if wanted:
        enabled = str(wanted.get("Enabled")).lower() == "true"
        dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": {**wanted, "Enabled": enabled}})
