"""Which bodies a request validator looks at, and what it takes for JSON.

AWS: a body is validated by the model of its content type, else by the model `$default`; with neither it is not
validated. JSON is UTF-8 without a byte order mark, and NaN is not JSON (RFC 8259).
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html

MiniStack 1.5.33: uses the `application/json` model for every other content type, so `text/plain` gives 400 where the
integration's passthrough behaviour gives 415; takes UTF-16, UTF-32, a byte order mark, NaN and Infinity for JSON.
`$context.error.validationErrorString` stays as it is in a gateway response.

Here: the model is chosen as on AWS; what is not strict JSON in UTF-8 is BAD_REQUEST_BODY; the validation error string
says what was wrong (in other words than AWS's).
"""

import json

import jsonschema
from ministack.services import apigateway_v1 as v1
from rest_api import request as rest_request

_MAX_REASONS = 10


def apply() -> None:
    """Wrap the request validation."""
    rest_request.track()
    check = v1._check_request_validation

    def check_like_aws(method, api_id, request, headers, body, query_params):
        model = _model(method, headers)
        narrowed = {**method, "requestModels": {_content_type(headers): model} if model else {}}
        error = check(narrowed, api_id, request, headers, body, query_params)
        if error is None and model and _validates_body(method, api_id) and not _is_json(body):
            error = v1._gw_error("BAD_REQUEST_BODY", v1._GATEWAY_ERROR_MESSAGES["BAD_REQUEST_BODY"])
        if isinstance(error, v1._GatewayError) and error.response_type == "BAD_REQUEST_BODY":
            tracked = rest_request.current()
            if tracked is not None:
                tracked.validation_error = _reasons(body, v1._model_schema(api_id, model), api_id)
        return error

    v1._check_request_validation = check_like_aws


def _content_type(headers) -> str:
    return (v1._header_ci(headers, "content-type") or "application/json").split(";", 1)[0].strip()


def _model(method, headers) -> str | None:
    models = {name.split(";", 1)[0].strip().lower(): model for name, model in (method.get("requestModels") or {}).items()}
    return models.get(_content_type(headers).lower()) or models.get("$default")


def _validates_body(method, api_id) -> bool:
    validator = v1._request_validators.get(api_id, {}).get(method.get("requestValidatorId")) or {}
    return bool(validator.get("validateRequestBody"))


def _is_json(body: bytes) -> bool:
    try:
        _strict(body)
    except (ValueError, RecursionError):
        return False
    return True


def _strict(body: bytes):
    """Parse; UnicodeDecodeError is a ValueError, and a byte order mark is not JSON to `loads` of a str."""
    return json.loads(body.decode("utf-8"), parse_constant=_refuse)


def _refuse(constant: str):
    raise ValueError(f"{constant} is not JSON")


def _reasons(body: bytes, schema, api_id) -> str:
    """`[reason, reason]`, as AWS lists them."""
    try:
        document = _strict(body)
    except UnicodeDecodeError:
        return "[the body is not valid UTF-8]"
    except RecursionError:
        return "[the body is nested too deeply]"
    except ValueError as error:
        return f"[the body is not JSON: {error}]"
    try:
        found = jsonschema.Draft4Validator(_inlined(schema, api_id, ())).iter_errors(document)
        reasons = sorted(f"/{'/'.join(map(str, error.absolute_path))}: {_brief(error)}" for error in found)
    except (jsonschema.exceptions.SchemaError, RecursionError, TypeError, ValueError):
        reasons = []
    return f"[{', '.join(reasons[:_MAX_REASONS])}]"


def _brief(error: jsonschema.ValidationError) -> str:
    """The rule that was broken, without the client's data."""
    if error.validator == "required":
        return f"missing required properties {[name for name in error.validator_value if name not in error.instance]}"
    if error.validator == "additionalProperties":
        extra = sorted(set(error.instance) - set(error.schema.get("properties") or {}))
        return f"properties that are not allowed {extra[:_MAX_REASONS]}"
    return f"does not satisfy {error.validator} {json.dumps(error.validator_value)[:100]}"


def _inlined(schema, api_id, seen: tuple):
    """The schema with references to models replaced by the models; a recursive one accepts anything further down."""
    if isinstance(schema, list):
        return [_inlined(child, api_id, seen) for child in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and "/models/" in reference:
        name = reference.rsplit("/", 1)[-1]
        return {} if name in seen else _inlined(v1._model_schema(api_id, name) or {}, api_id, (*seen, name))
    return {name: _inlined(child, api_id, seen) for name, child in schema.items()}
