"""Variables in gateway responses beyond the few that MiniStack knows.

AWS: the body template may use `$context.*`, `$stageVariables.*` and `$method.request.*`, substituted without Velocity.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html

MiniStack 1.5.33: knows seven `$context` names; all others appear in the answer as they are in the template.

Here: `$context.*` as in mapping templates, `$context.error.validationErrorString` and `$stageVariables.*`. MiniStack still
substitutes the names that it knows.
"""

import re

from ministack.services import apigateway_v1 as v1
from rest_api import request as rest_request

_VARIABLE = re.compile(r"\$(?:\{((?:context|stageVariables)(?:\.\w+)+)\}|((?:context|stageVariables)(?:\.[A-Za-z]\w*)+))")
_LEFT_TO_MINISTACK = {
    "context.error.message", "context.error.messageString", "context.error.responseType",
    "context.requestId", "context.resourcePath", "context.stage", "context.status",
}  # fmt: skip


class _Substitution:
    """Replaces a compiled pattern of MiniStack: substitutes the additional variables, then MiniStack's."""

    def __init__(self, original: re.Pattern) -> None:
        self._original = original

    def sub(self, replacement, template: str) -> str:
        """Both substitutions in one pass, so that a value that looks like a variable stays as it is."""

        def value(match: re.Match) -> str:
            name = match.group(1) or match.group(2)
            return replacement(match) if name in _LEFT_TO_MINISTACK else _value(name)

        return _VARIABLE.sub(value, template)


def apply() -> None:
    """Replace the pattern."""
    rest_request.track()
    v1._GATEWAY_TEMPLATE_VARIABLE = _Substitution(v1._GATEWAY_TEMPLATE_VARIABLE)


def _value(name: str) -> str:
    request = rest_request.current()
    if request is None:
        return ""
    root, *path = name.split(".")
    error = {"validationErrorString": request.validation_error}
    node = request.stage_variables() if root == "stageVariables" else {**request.context(), "error": error}
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return "" if node is None or isinstance(node, dict) else str(node)
