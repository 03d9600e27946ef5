"""Which bodies a request validator validates, and what it accepts as JSON.

AWS: a body is validated by the model of its content type, else by the model `$default`; with neither it is not
validated. JSON is UTF-8 without a byte order mark, and NaN is not JSON (RFC 8259).
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html

MiniStack 1.5.33: uses the `application/json` model for every other content type, so `text/plain` gives 400 where the
integration's passthrough behaviour gives 415. It accepts UTF-16, UTF-32, a byte order mark, NaN and Infinity as JSON, and does not
substitute `$context.error.validationErrorString` in a gateway response.

Here: the model is chosen as on AWS. A body that is not strict JSON in UTF-8 is BAD_REQUEST_BODY. The validation error string lists
the violations (`api_gateway/validation_errors.py`).
"""

import validation_errors
from ministack.services import apigateway_v1 as v1
from rest_api import request as rest_request


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
                schema = _inlined(v1._model_schema(api_id, model), api_id, ())
                tracked.validation_error = validation_errors.describe(body, schema)
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
        validation_errors.parse(body)
    except (ValueError, RecursionError):
        return False
    return True


def _inlined(schema, api_id, seen: tuple):
    """The schema with references to models replaced by the models; a recursive reference accepts any value."""
    if isinstance(schema, list):
        return [_inlined(child, api_id, seen) for child in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and "/models/" in reference:
        name = reference.rsplit("/", 1)[-1]
        return {} if name in seen else _inlined(v1._model_schema(api_id, name) or {}, api_id, (*seen, name))
    return {name: _inlined(child, api_id, seen) for name, child in schema.items()}
