"""The payload limit of REST APIs.

AWS: 10 MB; more is answered 413 by the gateway response REQUEST_TOO_LARGE.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

MiniStack 1.5.33: has no limit.

Here: a longer body is read to its end and discarded, then answered 413. So a client that is still sending gets the answer
instead of a broken connection.
"""

from ministack import app
from ministack.core.responses import new_uuid, request_scope
from ministack.services import apigateway_v1 as v1

#: 10 MB, in bytes.
LIMIT_BYTES = 10 * 1024 * 1024


def apply() -> None:
    """Wrap the reading of bodies and the ASGI application."""
    serve = app.app

    async def serve_limited(scope, receive, send):
        target = _target(scope)
        if target is None:
            await serve(scope, receive, send)
            return
        messages, too_large = await _read(receive)
        if too_large:
            await app._send_response(send, *_too_large(*target, scope))
        else:
            await serve(scope, _replay(messages, receive), send)

    app.app = serve_limited


def _target(scope):
    """API id, stage and account scope of a request to a REST API; None for other requests."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    parsed = app._parse_execute_api_url(_headers(scope).get("host", ""), scope["path"])
    account = v1.find_api_scope(parsed[0]) if parsed else None
    return (parsed[0], parsed[1], account) if account else None


async def _read(receive):
    """The messages of the body; none and True if it is too long."""
    messages, size = [], 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size <= LIMIT_BYTES:
            messages.append(message)
        else:
            messages.clear()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages, size > LIMIT_BYTES


def _replay(messages, receive):
    left = iter(messages)

    async def next_message():
        for message in left:
            return message
        return await receive()

    return next_message


def _too_large(api_id, stage_name, account, scope):
    stage = v1.stages_for_api(api_id).get(stage_name)
    if stage is None:
        return 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'
    request = {
        "api_id": api_id, "stage_name": stage_name, "stage": stage, "headers": _headers(scope), "query_params": {},
        "path_params": {}, "resource_path": "", "request_id": new_uuid(),
    }  # fmt: skip
    with request_scope(*account):
        return v1._gateway_error_response(v1._GatewayError("REQUEST_TOO_LARGE", "Request Too Long"), request)


def _headers(scope):
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
