"""Customized gateway responses.

AWS: a definition has them in x-amazon-apigateway-gateway-responses. Response template and response parameters produce the body and
the headers, with `$context.*` and `$stageVariables.*` substituted without Velocity.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html

LocalStack 2026.3.0: ignores them in a definition. Of those set by API calls it uses only the status, and answers
`{"message": …}`.

Here: they are imported, and also produce body and headers. Header sources can be fixed strings and `context.*`.
"""

import re

from localstack.constants import APPLICATION_JSON
from localstack.services.apigateway.helpers import OpenAPIExt
from localstack.services.apigateway.legacy import provider
from localstack.services.apigateway.next_gen.execute_api import gateway_response
from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import GatewayExceptionHandler

from .request_validation import VALIDATION_ERROR

_HEADER = "gatewayresponse.header."
_VARIABLE = re.compile(r"\$\{?((?:context|stageVariables)(?:\.[A-Za-z]\w*)+)\}?")


def apply() -> None:
    """Wrap the import of a definition, and the making of a response."""
    provider.import_api_from_openapi_spec = _importing(provider.import_api_from_openapi_spec)
    make = GatewayExceptionHandler.create_exception_response

    def make_customized(self, exception, context):
        response = make(self, exception, context)
        customized = gateway_response.get_gateway_response_or_default(
            exception.type, context.deployment.rest_api.gateway_responses
        )
        template = (customized.get("responseTemplates") or {}).get(APPLICATION_JSON)
        validation_error = (context.invocation_request or {}).get(VALIDATION_ERROR, "")
        context.context_variables["error"]["validationErrorString"] = validation_error
        if not customized.get("defaultResponse", False) and template:
            response.data = _VARIABLE.sub(lambda found: _value(found[1], context), template)
        for name, source in (customized.get("responseParameters") or {}).items():
            response.headers[name.removeprefix(_HEADER)] = _header(source, context)
        return response

    GatewayExceptionHandler.create_exception_response = make_customized


def _importing(import_definition):
    def import_all(rest_api, *, context, open_api_spec, **named):
        imported = import_definition(rest_api, context=context, open_api_spec=open_api_spec, **named)
        responses = provider.get_apigateway_store(context=context).rest_apis[rest_api.id].gateway_responses
        responses.clear()
        for kind, described in (open_api_spec.get(OpenAPIExt.GATEWAY_RESPONSES) or {}).items():
            responses[kind] = gateway_response.build_gateway_response(
                kind,
                described.get("statusCode"),
                described.get("responseParameters"),
                described.get("responseTemplates"),
                default_response=False,
            )
        return imported

    return import_all


def _header(source: str, context) -> str:
    return source[1:-1] if source.startswith("'") else _value(source, context)


def _value(name: str, context) -> str:
    root, *path = name.split(".")
    node = context.stage_variables if root == "stageVariables" else context.context_variables
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return "" if node is None or isinstance(node, dict) else str(node)
