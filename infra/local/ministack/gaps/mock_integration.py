"""MOCK integrations: templates and headers.

AWS: the request template yields `{"statusCode": …}`, which selects the integration response by its pattern; response
templates are rendered, response parameters become headers.
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html

MiniStack 1.5.33: finds the status by a regular expression in the unrendered template, sends response templates
unrendered, and supports only fixed strings as header sources.

Here: templates and headers as in `velocity_templates`.
"""

import json
import re

from ministack.services import apigateway_v1 as v1
from rest_api import request as rest_request, velocity

from . import velocity_templates

def apply() -> None:
    """Replace the integration."""
    rest_request.track()
    v1._invoke_mock_v1 = _invoke


def _invoke(integration):
    request = rest_request.current()
    try:
        return _answer(integration, request)
    except velocity.TemplateFailure:
        return v1._gw_error("DEFAULT_5XX", "Internal server error")


def _answer(integration, request):
    status = _status(_render(_request_template(integration, request), request.body.decode("utf-8", "replace")))
    selected = _select(integration.get("integrationResponses") or {}, status) if status else None
    if selected is None:
        return v1._gw_error("DEFAULT_5XX", "Internal server error")
    templates = selected.get("responseTemplates") or {}
    chosen = velocity_templates.template_for(templates, _accepted(request))
    headers = velocity_templates.mapped_headers(selected, _accepted(request))
    body = _render(templates[chosen], "") if chosen else ""
    return velocity_templates.overridden(int(selected["statusCode"]), headers, body.encode())


def _request_template(integration, request) -> str:
    templates = {name.split(";", 1)[0].strip().lower(): text for name, text in (integration.get("requestTemplates") or {}).items()}
    content_type = (v1._header_ci(request.headers, "content-type") or "application/json").split(";", 1)[0].strip().lower()
    # A mock accepts any content type: it ignores the body, and preflight requests of browsers have none.
    return templates.get(content_type) or templates.get("application/json") or ""


def _status(rendered: str) -> str | None:
    """The status that the template sets, or None."""
    try:
        return str(json.loads(rendered)["statusCode"])
    except (ValueError, KeyError, TypeError):
        return None


def _select(responses: dict, status: str) -> dict | None:
    matching = [response for response in responses.values() if _matches(response.get("selectionPattern"), status)]
    exact = [response for response in matching if str(response.get("statusCode")) == status]
    default = [response for response in responses.values() if not response.get("selectionPattern")]
    return next(iter([*exact, *matching, *default]), None)


def _matches(pattern: str | None, status: str) -> bool:
    try:
        return bool(pattern) and re.fullmatch(pattern, status) is not None
    except re.error:
        return False


def _accepted(request) -> str:
    return (v1._header_ci(request.headers, "accept") or "application/json").split(",", 1)[0].split(";", 1)[0].strip().lower()


def _render(template: str, body: str) -> str:
    return velocity_templates.render(template, body, {})
