"""Stage variables in the events of WebSocket routes.

AWS: the event of a proxy integration has `stageVariables` if the stage has any. The event types of AWS's libraries
have the field: https://github.com/aws/aws-lambda-go/blob/main/events/apigw.go (APIGatewayWebsocketProxyRequest)
https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-stages.html

MiniStack 1.5.33: only the authorizer's event has them, not those of $connect, $disconnect, $default and custom routes.

Here: all these events have them, for functions of `provided.*` runtimes.
"""

import contextvars

from ministack.services import apigateway as v2

_variables: contextvars.ContextVar[dict | None] = contextvars.ContextVar("websocket_stage_variables", default=None)


def apply() -> None:
    """Wrap the invocation of a route, and the call in it with the event."""
    invoke, run = v2._invoke_ws_lambda, v2.run_reentrant

    async def invoke_with_variables(api_id, account_id, region, route, stage, *rest, **named):
        token = _variables.set(v2._get_stage_variables(api_id, stage) or None)
        try:
            return await invoke(api_id, account_id, region, route, stage, *rest, **named)
        finally:
            _variables.reset(token)

    async def run_with_variables(function, *arguments, **named):
        event = arguments[-1] if arguments else None
        if _variables.get() and isinstance(event, dict) and "requestContext" in event:
            event["stageVariables"] = dict(_variables.get())
        return await run(function, *arguments, **named)

    v2._invoke_ws_lambda, v2.run_reentrant = invoke_with_variables, run_with_variables
