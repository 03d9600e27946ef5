"""What a REST API answers when its Lambda function fails or is throttled.

AWS: with a proxy integration, a failed function gives 502 and a throttled one 500, both with the gateway response
DEFAULT_5XX: `{"message": "Internal server error"}` unless customized. The caller does not get the function's error text.
https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
The guide names no status for a throttled function; users report 500:
https://repost.aws/questions/QUfI6bsdd0SOiPeyimzxSkfQ/

MiniStack 1.5.33: sends the function's error text with the 502, and 429 for a throttled function.

Here: both answer through DEFAULT_5XX with AWS's status, or with the status of a customized DEFAULT_5XX.
"""

from ministack.services import apigateway_v1 as v1
from rest_api import request as rest_request

_MESSAGE = "Internal server error"


class _Failed(Exception):
    """The function failed; the argument is the status AWS answers."""


def apply() -> None:
    """Wrap the interpretation of a function's result, and the proxy integration around it."""
    rest_request.track()
    interpret, invoke = v1._lambda_proxy_response, v1._invoke_lambda_proxy_v1

    def interpret_or_fail(result):
        if result.get("throttle"):
            raise _Failed(500)
        response, error = interpret(result)
        if error:
            raise _Failed(502)
        return response, error

    async def invoke_or_fail(*arguments, **named):
        try:
            return await invoke(*arguments, **named)
        except _Failed as failure:
            return _answer(failure.args[0])

    v1._lambda_proxy_response, v1._invoke_lambda_proxy_v1 = interpret_or_fail, invoke_or_fail


def _answer(status: int):
    request = rest_request.current().routed
    customized = v1._deployed_gateway_responses.get(request["api_id"], {}).get(request["stage"].get("deploymentId")) or {}
    own, headers, body = v1._gateway_error_response(v1._GatewayError("DEFAULT_5XX", _MESSAGE), request)
    return own if (customized.get("DEFAULT_5XX") or {}).get("statusCode") else status, headers, body
