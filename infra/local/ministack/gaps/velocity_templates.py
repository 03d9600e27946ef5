"""Mapping templates of service integrations in real Velocity, with all of `$context`.

AWS: Velocity with `$input`, `$util`, `$context`, `$stageVariables`; `$context.responseOverride.status` and `.header`
change the answer; the answer has the content type of the chosen template.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-mapping-templates.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html

MiniStack 1.5.33: `#set` and substitution only, without `#if` and `#foreach`. `$input.json` has no quotes. Header names are
lower-case. `$util.urlEncode` is the only function, `$context.authorizer` the only context. No overrides, and always
`application/json`. A header that is mapped from another source than a fixed string has the mapping expression as its value.

Here: rendered by `airspeed-ext` (`rest_api.velocity`), with overrides and content type, and headers also from `context.*` and
`stageVariables.*` (other sources give no header). A template that fails gives 500 through the gateway response DEFAULT_5XX.
"""

from ministack.services import apigateway_v1 as v1
from rest_api import request as rest_request, velocity

_HEADER = "method.response.header."


def apply() -> None:
    """Replace the renderer; wrap the mapping of a service's answer and the integration around both."""
    rest_request.track()
    answer, invoke = v1._service_integration_response, v1._invoke_sqs_v1

    def answer_with_overrides(integration, backend_status, backend_text, accept, parameters, context=None):
        status, headers, body = answer(integration, backend_status, backend_text, accept, parameters, context)
        selected = v1._select_service_integration_response(integration, backend_status)
        return overridden(status, mapped_headers(selected, accept) if selected else headers, body)

    async def invoke_or_fail(*arguments, **named):
        try:
            return await invoke(*arguments, **named)
        except velocity.TemplateFailure:
            return v1._gw_error("DEFAULT_5XX", "Internal server error")

    v1._render_request_template_v1 = render
    v1._service_integration_response, v1._invoke_sqs_v1 = answer_with_overrides, invoke_or_fail


def render(template, body, parameters, context=None):
    """Called by MiniStack. Path, query string and headers come from the request, separately."""
    request = rest_request.current()
    if request is None:
        return velocity.render(template, body, {"path": parameters}, context or {}, {})
    known = {**request.context(), **(context or {})}
    return velocity.render(template, body, request.parameters(), known, request.stage_variables())


def overridden(status, headers, body):
    """The answer after `$context.responseOverride`."""
    request = rest_request.current()
    override = request.response_override if request else {}
    headers = {**headers, **{name: str(value) for name, value in (override.get("header") or {}).items()}}
    return int(override.get("status") or status), headers, body


def template_for(templates: dict, accept: str) -> str | None:
    """The content type of the template to use: the accepted one, else JSON, else the first."""
    if accept in templates:
        return accept
    return "application/json" if "application/json" in templates else next(iter(templates), None)


def mapped_headers(response: dict, accept: str) -> dict[str, str]:
    """Headers of an integration response: the template's content type, then those of response parameters."""
    headers = {"Content-Type": template_for(response.get("responseTemplates") or {}, accept) or "application/json"}
    for destination, source in (response.get("responseParameters") or {}).items():
        value = _source(str(source))
        if destination.startswith(_HEADER) and value is not None:
            name = destination[len(_HEADER) :]
            headers["Content-Type" if name.lower() == "content-type" else name] = value
    return headers


def _source(expression: str) -> str | None:
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    request = rest_request.current()
    root, _, name = expression.partition(".")
    values = {"context": request.context(), "stageVariables": request.stage_variables()}.get(root, {}) if request else {}
    return None if values.get(name) is None else str(values[name])
