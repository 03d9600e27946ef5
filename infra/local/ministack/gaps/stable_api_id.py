"""A changed OpenAPI definition updates the API instead of replacing it.

AWS: Body is updated without interruption; the API keeps its id, so its URL stays.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html

MiniStack 1.5.33: creates a new API with a new id.

Here: the definition is imported into a new API; its parts then replace those of the old API. Stages and deployments stay.
"""

import json

from ministack.services import apigateway_v1 as v1
from ministack.services.cloudformation import provisioners

# Parts that an import writes, without stages, deployments and the record of the API.
_PARTS = ("_resources", "_models", "_authorizers_v1", "_request_validators", "_gateway_responses")


def apply() -> None:
    """Wrap the update of a REST API."""
    api = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    update = api["update"]

    def update_in_place(physical_id, old, new, *rest, **named):
        body = new.get("Body")
        if isinstance(body, dict) and body != old.get("Body") and physical_id in v1._rest_apis:
            _overwrite(physical_id, body)
            old = {**old, "Body": body}
        return update(physical_id, old, new, *rest, **named)

    api["update"] = update_in_place


def _overwrite(api_id: str, body: dict) -> None:
    imported = v1._import_rest_api(body, {})
    for name in _PARTS:
        store = getattr(v1, name)
        store[api_id] = store.get(imported, {})
    for model in v1._models[api_id].values():
        model["schema"] = _moved(model["schema"], imported, api_id)
    fresh, kept = v1._rest_apis[imported], v1._rest_apis[api_id]
    kept.update({key: fresh[key] for key in ("name", "version", "binaryMediaTypes", "minimumCompressionSize", "apiKeySource")})
    v1._delete_rest_api(imported)
    v1._request_validators.pop(imported, None)


def _moved(schema, imported: str, api_id: str):
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return text.replace(f"/restapis/{imported}/models/", f"/restapis/{api_id}/models/")
