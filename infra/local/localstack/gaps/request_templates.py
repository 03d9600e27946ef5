"""Which mapping template a body is for, and what templates may do with text.

AWS: that of the body's content type. Whether `application/json; charset=utf-8` has the template of `application/json` its
documentation does not say; clients send it, and the model of a body is found so.
https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
Values are Java's: text has the methods of `java.lang.String`.

LocalStack 2026.3.0: compares the whole header, so that a charset gives 415. Text has some of the methods: that of a path parameter
has others than that of a header.

Here: parameters and case of the content type do not count; all text has all of these methods, and `toLowerCase`.
"""

from airspeed import operators
from localstack.constants import APPLICATION_JSON
from localstack.services.apigateway.next_gen.execute_api.handlers.integration_request import IntegrationRequestHandler
from werkzeug.datastructures import Headers


class _MethodsByBase(dict):
    """Methods by type, for the type's subclasses too."""

    def get(self, kind, default=None):
        """The methods of the type, or of the nearest type that it is made from."""
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
