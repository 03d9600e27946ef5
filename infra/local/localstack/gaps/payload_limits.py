"""The size limit of requests.

AWS: a REST API accepts 10 MB; more is REQUEST_TOO_LARGE. SQS refuses a message that is too large with a separate error.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html

LocalStack 2026.3.0: has no limit for a REST API. Its HTTP library refuses forms that an API may pass on, and the service answers
500.

Here: 10 MB for REST APIs, and forms that are large enough for SQS to refuse the message.
"""

from localstack.services.apigateway.next_gen.execute_api import gateway_response, handlers
from werkzeug.wrappers import Request

# 10 MB, in bytes.
LIMIT_BYTES = 10 * 1024 * 1024


def apply() -> None:
    """Add a handler after the routing, and raise the library's limit: encoding makes up to three bytes of one."""
    handlers.preprocess_request.append(_refuse_what_is_too_large)
    Request.max_form_memory_size = 4 * LIMIT_BYTES


def _refuse_what_is_too_large(_chain, context, _response) -> None:
    if len(context.invocation_request["body"]) > LIMIT_BYTES:
        raise gateway_response.RequestTooLargeError("Request Too Long")
