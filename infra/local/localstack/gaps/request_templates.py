"""The choice of the mapping template for a body, and the methods of text in templates.

AWS: chooses the template by the body's content type. Its documentation does not say whether `application/json; charset=utf-8` has
the template of `application/json`; clients send it, and AWS finds the model of a body that way.
https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
Values are Java objects: text has the methods of `java.lang.String`.

LocalStack 2026.3.0: compares the whole header, so a charset gives 415. Text has some of the methods: text of a path parameter has
other methods than text of a header.

Here: parameters and case of the content type are ignored. All text has all of these methods, and `toLowerCase`.
"""

from airspeed import operators
from localstack.constants import APPLICATION_JSON
from localstack.services.apigateway.next_gen.execute_api.handlers.integration_request import IntegrationRequestHandler
from werkzeug.datastructures import Headers


class _MethodsByBase(dict):
    """Methods by type, also for subclasses of the type."""

    def get(self, kind, default=None):
        """The methods of the type, or of its nearest base type."""
        return next((self[base] for base in kind.__mro__ if base in self), default)


def apply() -> None:
    """Wrap the choice of the template, and add the methods."""
    operators.__additional_methods__[str]["toLowerCase"] = str.lower
    operators.__additional_methods__ = _MethodsByBase(operators.__additional_methods__)
    choose = IntegrationRequestHandler.get_request_template

    def choose_by_media_type(integration, request):
        content_type = request["headers"].get("Content-Type") or APPLICATION_JSON
        media_type = content_type.split(";", 1)[0].strip().lower()
        return choose(integration=integration, request={**request, "headers": Headers({"Content-Type": media_type})})

    IntegrationRequestHandler.get_request_template = staticmethod(choose_by_media_type)
