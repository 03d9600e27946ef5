"""Which mapping template a body is for.

AWS: that of the body's content type. Whether `application/json; charset=utf-8` has the template of `application/json` its
documentation does not say; clients send it, and the model of a body is found so.
https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html

LocalStack 2026.3.0: compares the whole header, so that a charset gives 415.

Here: parameters and case of the content type do not count.
"""

from localstack.constants import APPLICATION_JSON
from localstack.services.apigateway.next_gen.execute_api.handlers.integration_request import IntegrationRequestHandler
from werkzeug.datastructures import Headers


def apply() -> None:
    """Wrap the choice of the template."""
    choose = IntegrationRequestHandler.get_request_template

    def choose_by_media_type(integration, request):
        content_type = request["headers"].get("Content-Type") or APPLICATION_JSON
        media_type = content_type.split(";", 1)[0].strip().lower()
        return choose(integration=integration, request={**request, "headers": Headers({"Content-Type": media_type})})

    IntegrationRequestHandler.get_request_template = staticmethod(choose_by_media_type)
