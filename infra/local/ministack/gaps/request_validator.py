"""AWS::ApiGateway::RequestValidator and a method's RequestValidatorId in CloudFormation.

AWS: the validator decides whether body and parameters are validated.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-requestvalidator.html

MiniStack 1.5.33: the resource type is accepted and does nothing; methods lose their RequestValidatorId.

Here: the resource creates and updates a real validator, and methods keep its id.
"""

import json

from ministack.services import apigateway_v1 as v1
from ministack.services.cloudformation import provisioners

_FLAGS = (("ValidateRequestBody", "validateRequestBody"), ("ValidateRequestParameters", "validateRequestParameters"))


def apply() -> None:
    """Replace the resource's handlers and wrap those of methods."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::ApiGateway::RequestValidator"].update(create=_create, update=_update, delete=_delete)
    method = handlers["AWS::ApiGateway::Method"]
    method.update(create=_with_validator(method["create"], 1), update=_with_validator(method["update"], 2))


def _settings(properties: dict) -> dict:
    return {name: str(properties.get(property_, False)).lower() == "true" for property_, name in _FLAGS}


def _create(logical_id: str, properties: dict, stack: str):
    name = properties.get("Name") or logical_id
    status, _, body = v1._create_request_validator(properties.get("RestApiId", ""), {"name": name, **_settings(properties)})
    if status >= 400:
        raise ValueError(f"AWS::ApiGateway::RequestValidator create failed: {body!r}")
    validator = json.loads(body)["id"]
    return validator, {"RequestValidatorId": validator}


def _update(physical_id: str, old: dict, new: dict, stack: str):
    validator = v1._request_validators.get(new.get("RestApiId", ""), {}).get(physical_id)
    if validator is None:
        return _create(physical_id, new, stack)
    validator.update(_settings(new))
    return physical_id, {"RequestValidatorId": physical_id}


def _delete(physical_id: str, properties: dict) -> None:
    v1._request_validators.get(properties.get("RestApiId", ""), {}).pop(physical_id, None)


def _with_validator(original, properties_at: int):
    def provision(*arguments):
        result = original(*arguments)
        properties = arguments[properties_at]
        resource = v1._resources.get(properties.get("RestApiId", ""), {}).get(properties.get("ResourceId", ""), {})
        method = resource.get("resourceMethods", {}).get(properties.get("HttpMethod", "ANY"))
        if method is not None:
            method["requestValidatorId"] = properties.get("RequestValidatorId")
        return result

    return provision
