"""All of an OpenAPI definition that API Gateway imports (AWS::Serverless::Api DefinitionBody, Cors; RestApi Body).

AWS: models, request validators, parameters, gateway responses, and integrations with their templates and responses.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
References between schemas become references between the API's models.
https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html

MiniStack 1.5.33: imports paths, methods, security and an integration's type, method and URI; drops the rest.

Here: the rest. Gateway responses are imported before a deployment takes its snapshot of them.
"""

import contextvars
import json
from typing import Any

from ministack.services import apigateway_v1 as v1

_ANY_METHOD = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_VALIDATOR = "x-amazon-apigateway-request-validator"
_MODELS_URL = "https://apigateway.amazonaws.com/restapis/{api}/models/{name}"
_INTEGRATION_KEYS = (
    "requestTemplates", "requestParameters", "credentials", "timeoutInMillis", "contentHandling",
    "cacheKeyParameters", "connectionType",
)  # fmt: skip


class _Import:
    """The definition being imported and the ids of its validators."""

    def __init__(self, document: dict) -> None:
        self.document = document
        self.validators: dict[str, str] = {}

    def resolve(self, node: Any) -> Any:
        """The target of a local reference (`#/components/parameters/X`); other values unchanged."""
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return node
        target: Any = self.document
        for part in reference[2:].split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
        return target


_current: contextvars.ContextVar[_Import | None] = contextvars.ContextVar("openapi_import", default=None)


def apply() -> None:
    """Wrap the steps of MiniStack's import."""
    whole, schemes, path_item, operation = (
        v1._import_rest_api, v1._import_security_schemes, v1._import_path_item, v1._import_operation,
    )  # fmt: skip

    def import_whole(document, base_data=None):
        token = _current.set(_Import(document))
        try:
            return whole(document, {**_api_settings(document), **(base_data or {})})
        finally:
            _current.reset(token)

    def import_schemes(api_id, document):
        # The first step with the API's id, before any method.
        _models(api_id, document)
        _validators(api_id, document)
        _gateway_responses(api_id, document)
        return schemes(api_id, document)

    def import_path_item(api_id, path, item, scheme_map=None, default_security=None):
        shared = item.get("parameters") or []
        path_item(api_id, path, item, scheme_map, default_security)
        resource_id = next(key for key, value in v1._resources[api_id].items() if value["path"] == path)
        if isinstance(item.get(_ANY_METHOD), dict):
            v1._import_operation(api_id, resource_id, "ANY", item[_ANY_METHOD], scheme_map, default_security)
        for method in v1._resources[api_id][resource_id]["resourceMethods"].values():
            _parameters(method, shared, overwrite=False)

    def import_operation(api_id, resource_id, http_method, described, *rest, **named):
        operation(api_id, resource_id, http_method, described, *rest, **named)
        described = described or {}
        method = v1._resources[api_id][resource_id]["resourceMethods"][http_method]
        _validator_of(method, described)
        _body_models(api_id, method, described)
        _parameters(method, described.get("parameters") or [], overwrite=True)
        for status in described.get("responses") or {}:
            v1._put_method_response(api_id, resource_id, http_method, str(status), {})
        if isinstance(described.get(_INTEGRATION), dict):
            _integration(api_id, resource_id, http_method, method, described[_INTEGRATION])

    v1._import_rest_api, v1._import_security_schemes = import_whole, import_schemes
    v1._import_path_item, v1._import_operation = import_path_item, import_operation


def _api_settings(document: dict) -> dict:
    settings = {
        "binaryMediaTypes": document.get("x-amazon-apigateway-binary-media-types"),
        "apiKeySource": document.get("x-amazon-apigateway-api-key-source"),
        "minimumCompressionSize": document.get("x-amazon-apigateway-minimum-compression-size"),
        "policy": document.get("x-amazon-apigateway-policy"),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _models(api_id: str, document: dict) -> None:
    schemas = (document.get("components") or {}).get("schemas") or document.get("definitions") or {}
    for name, schema in schemas.items():
        _create_model(api_id, name, schema)


def _create_model(api_id: str, name: str, schema: Any) -> None:
    v1._create_model(api_id, {"name": name, "schema": json.dumps(_with_model_references(api_id, schema))})


def _with_model_references(api_id: str, schema: Any) -> Any:
    """The schema with `#/components/schemas/X` turned into the URL of model X."""
    if isinstance(schema, list):
        return [_with_model_references(api_id, child) for child in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: _with_model_references(api_id, child) for name, child in schema.items()}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(("#/components/schemas/", "#/definitions/")):
        name, _, inside = reference.split("/", 2)[2].removeprefix("schemas/").partition("/")
        changed["$ref"] = _MODELS_URL.format(api=api_id, name=name) + (f"#/{inside}" if inside else "")
    return changed


def _validators(api_id: str, document: dict) -> None:
    for name, settings in (document.get("x-amazon-apigateway-request-validators") or {}).items():
        _, _, body = v1._create_request_validator(api_id, {"name": name, **settings})
        _current.get().validators[name] = json.loads(body)["id"]


def _gateway_responses(api_id: str, document: dict) -> None:
    for kind, response in (document.get("x-amazon-apigateway-gateway-responses") or {}).items():
        status, _, body = v1._put_gateway_response(api_id, kind, response or {})
        if status >= 400:
            raise ValueError(f"x-amazon-apigateway-gateway-responses {kind}: {body!r}")


def _validator_of(method: dict, described: dict) -> None:
    importing = _current.get()
    name = described.get(_VALIDATOR) or importing.document.get(_VALIDATOR)
    if name is not None and name not in importing.validators:
        raise ValueError(f"{_VALIDATOR} {name!r} is not among x-amazon-apigateway-request-validators")
    method["requestValidatorId"] = importing.validators.get(name)


def _body_models(api_id: str, method: dict, described: dict) -> None:
    importing = _current.get()
    bodies = [("application/json", parameter) for parameter in map(importing.resolve, described.get("parameters") or [])
              if parameter.get("in") == "body"]  # fmt: skip
    bodies += (importing.resolve(described.get("requestBody") or {}).get("content") or {}).items()
    models = {}
    for content_type, body in bodies:
        schema = body.get("schema") or {}
        if "$ref" in schema:
            models[content_type] = schema["$ref"].rsplit("/", 1)[-1]
        elif schema:
            # An inline schema becomes a model with a generated name.
            models[content_type] = f"MODEL{v1._new_id()[:6]}"
            _create_model(api_id, models[content_type], schema)
    method["requestModels"] = models


def _parameters(method: dict, parameters: list, *, overwrite: bool) -> None:
    places = {"path": "path", "query": "querystring", "header": "header"}
    known = dict(method["requestParameters"])
    for parameter in map(_current.get().resolve, parameters):
        if parameter.get("in") in places:
            name = f"method.request.{places[parameter['in']]}.{parameter['name']}"
            if overwrite or name not in known:
                known[name] = bool(parameter.get("required"))
    method["requestParameters"] = known


def _integration(api_id: str, resource_id: str, http_method: str, method: dict, described: dict) -> None:
    integration = method["methodIntegration"]
    integration.update({key: described[key] for key in _INTEGRATION_KEYS if described.get(key) is not None})
    if described.get("passthroughBehavior"):
        integration["passthroughBehavior"] = described["passthroughBehavior"].upper()
    for pattern, response in (described.get("responses") or {}).items():
        v1._put_integration_response(api_id, resource_id, http_method, str(response.get("statusCode", "200")), {
            "selectionPattern": "" if pattern == "default" else str(pattern),
            "responseParameters": response.get("responseParameters") or {},
            "responseTemplates": response.get("responseTemplates") or {},
            "contentHandling": response.get("contentHandling"),
        })  # fmt: skip
