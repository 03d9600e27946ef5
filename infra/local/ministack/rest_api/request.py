"""The current REST API request, for code that MiniStack calls without it."""

from __future__ import annotations

import contextvars
import dataclasses
import datetime
import functools
import time
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import apigateway_v1 as v1


@dataclasses.dataclass
class RestRequest:
    """One request. `routed` is MiniStack's own record, filled in while it routes."""

    routed: dict[str, Any]
    method: str
    path: str
    headers: dict[str, Any]
    query: dict[str, Any]
    body: bytes
    received: float = dataclasses.field(default_factory=time.time)
    authorizer: dict[str, Any] = dataclasses.field(default_factory=dict)
    #: `#set($context.responseOverride.status = …)` and `.header` of a template land here.
    response_override: dict[str, Any] = dataclasses.field(default_factory=lambda: {"header": {}})
    #: Violations in the body, for `$context.error.validationErrorString`.
    validation_error: str = ""

    def parameters(self) -> dict[str, dict[str, str]]:
        """Path, query string and header parameters, one value each (the last, as in API Gateway)."""
        return {
            "path": dict(self.routed["path_params"]),
            "querystring": {name: _last(value) for name, value in self.query.items()},
            "header": {name: _last(value) for name, value in self.headers.items()},
        }

    def context(self) -> dict[str, Any]:
        """`$context` as documented for mapping templates."""
        stage = self.routed["stage_name"]
        now = datetime.datetime.fromtimestamp(self.received, datetime.timezone.utc)
        return {
            "accountId": get_account_id(),
            "apiId": self.routed["api_id"],
            "authorizer": self.authorizer,
            "extendedRequestId": self.routed["request_id"],
            "httpMethod": self.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": v1._header_ci(self.headers, "user-agent")},
            "path": f"/{stage}{self.path}",
            "protocol": "HTTP/1.1",
            "requestId": self.routed["request_id"],
            "requestOverride": {"header": {}, "path": {}, "querystring": {}},
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(self.received * 1000),
            "resourcePath": self.routed["resource_path"],
            "responseOverride": self.response_override,
            "stage": stage,
        }

    def stage_variables(self) -> dict[str, str]:
        """`$stageVariables`."""
        return dict((self.routed["stage"] or {}).get("variables") or {})


_current: contextvars.ContextVar[RestRequest | None] = contextvars.ContextVar("rest_request", default=None)


def current() -> RestRequest | None:
    """The request of the current task."""
    return _current.get()


@functools.cache
def track() -> None:
    """Make MiniStack store the current request. Several gaps call this; only the first call has an effect."""
    execute, authorize = v1._execute_in_scope, v1._authorize_request_v1

    async def execute_tracked(request, api_id, stage_name, method, path, headers, body, query_params, *rest):
        # Not reset: the caller still renders the gateway response of an error. Each request has a separate task.
        _current.set(RestRequest(request, method, path, headers or {}, query_params or {}, body or b""))
        return await execute(request, api_id, stage_name, method, path, headers, body, query_params, *rest)

    async def authorize_tracked(*arguments, **named):
        error, context = await authorize(*arguments, **named)
        request = current()
        if request is not None:
            request.authorizer = dict(context or {})
        return error, context

    v1._execute_in_scope, v1._authorize_request_v1 = execute_tracked, authorize_tracked


def _last(value: Any) -> str:
    return str(value[-1]) if isinstance(value, (list, tuple)) and value else str(value)
