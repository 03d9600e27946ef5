"""Which bodies a request validator validates, and what it accepts as JSON.

AWS: a body is validated by the model of its content type, else by the model `$default`; with neither it is not
validated. JSON is UTF-8 without a byte order mark, and NaN is not JSON (RFC 8259).
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html

LocalStack 2026.3.0: uses the `application/json` model for every other content type, so `text/plain` gives 400 where the
integration's passthrough behaviour gives 415. It accepts UTF-16, UTF-32, a byte order mark, NaN and Infinity as JSON, and treats a
missing body as `{}`. It answers 500 to text that is not UTF-8 or is nested too deeply. `$context.error.validationErrorString` is
empty.

Here: the model is chosen as on AWS. A body that is not strict JSON in UTF-8 is BAD_REQUEST_BODY. The validation error string lists
the violations (`api_gateway/validation_errors.py`).
"""

import validation_errors
from localstack.constants import APPLICATION_JSON
from localstack.services.apigateway.helpers import ModelResolver
from localstack.services.apigateway.next_gen.execute_api.handlers.method_request import MethodRequestHandler

# A request's field with the violations in its body, for its gateway response.
VALIDATION_ERROR = "validationErrorString"


def apply() -> None:
    """Wrap the validation of a body."""
    is_valid = MethodRequestHandler._is_body_valid

    def is_valid_like_aws(method, rest_api, request) -> bool:
        model = _model(method.get("requestModels") or {}, request["headers"].get("Content-Type") or APPLICATION_JSON)
        if model is None:
            return True
        body = request.get("body") or b""
        if _is_json(body) and is_valid({**method, "requestModels": {APPLICATION_JSON: model}}, rest_api, request):
            return True
        schema = ModelResolver(rest_api_container=rest_api, model_name=model).get_resolved_model()
        request[VALIDATION_ERROR] = validation_errors.describe(body, schema)
        return False

    MethodRequestHandler._is_body_valid = staticmethod(is_valid_like_aws)


def _model(models: dict[str, str], content_type: str) -> str | None:
    by_media_type = {_media_type(name): model for name, model in models.items()}
    return by_media_type.get(_media_type(content_type)) or by_media_type.get("$default")


def _media_type(content_type: str) -> str:
    return content_type.split(";", 1)[0].strip().lower()


def _is_json(body: bytes) -> bool:
    try:
        validation_errors.parse(body)
    except (ValueError, RecursionError):
        return False
    return True
