"""The subprotocol that a WebSocket's $connect integration answers.

AWS: a client that offers subprotocols gets the one in the header `Sec-WebSocket-Protocol` of the integration's response.
https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html

MiniStack 1.5.33: answers none, so browsers close the socket.

Here: answers the integration's.
"""

import contextvars

from ministack.services import apigateway as v2

_HEADER = "sec-websocket-protocol"
_answered: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("websocket_subprotocol", default=None)


def apply() -> None:
    """Wrap the session, to change how it accepts, and the invocation, which returns the subprotocol."""
    handle, invoke = v2.handle_websocket, v2._invoke_ws_lambda

    async def handle_answering(scope, receive, send, *rest, **named):
        answered: list[str] = []

        async def send_answering(message):
            if message.get("type") == "websocket.accept" and answered:
                message = {**message, "subprotocol": answered[-1]}
            await send(message)

        _answered.set(answered)
        return await handle(scope, receive, send_answering, *rest, **named)

    async def invoke_answering(*arguments, **named):
        response = await invoke(*arguments, **named)
        headers = (response or {}).get("headers") or {}
        names = [value for name, value in headers.items() if name.lower() == _HEADER]
        if _answered.get() is not None:
            _answered.get().extend(str(name) for name in names)
        return response

    v2.handle_websocket, v2._invoke_ws_lambda = handle_answering, invoke_answering
