"""Velocity mapping templates with API Gateway's variables.

AWS: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import base64
import functools
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

import airspeed
from airspeed import operators

from . import json_path

# Methods of java.lang.String that airspeed lacks.
operators.__additional_methods__[str]["toLowerCase"] = str.lower

# Only what needs no request: see `render`.
_JAVASCRIPT_ESCAPES = {
    "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
    '"': '\\"', "'": "\\'", "\\": "\\\\", "/": "\\/",
}  # fmt: skip


class TemplateFailure(Exception):
    """The template is not valid Velocity, or failed while it was rendered; API Gateway answers 500."""


def render(
    template: str,
    body: str,
    parameters: Mapping[str, Mapping[str, str]],
    context: Mapping[str, Any],
    stage_variables: Mapping[str, str],
) -> str:
    """Render a template. `parameters` has the parts `path`, `querystring`, `header`."""
    namespace = {
        "input": Input(body, parameters),
        "util": Util(),
        "context": context,
        "stageVariables": stage_variables,
    }
    try:
        return _compile(template).merge(namespace)
    except Exception as error:  # Any exception: the template calls methods of its values.
        raise TemplateFailure(str(error)) from error


@functools.lru_cache(maxsize=256)
def _compile(template: str) -> airspeed.Template:
    compiled = airspeed.Template(template)
    compiled.ensure_compiled()
    return compiled


class Headers(dict):
    """Header parameters, found whatever their case."""

    def __getitem__(self, name: str) -> str:
        for known, value in self.items():
            if known.lower() == str(name).lower():
                return value
        raise KeyError(name)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The header's value."""
        try:
            return self[name]
        except KeyError:
            return default


class JsonObject(dict):
    """A JSON object in a template: Java's map methods, and JSON when printed."""

    def size(self) -> int:
        """The number of members."""
        return len(self)

    def containsKey(self, key: Any) -> bool:  # noqa: N802  (Java's name)
        """Whether the member exists."""
        return key in self

    def keySet(self) -> list[Any]:  # noqa: N802
        """Names of the members."""
        return list(self)

    def entrySet(self) -> list[dict[str, Any]]:  # noqa: N802
        """Members as objects with `key` and `value`."""
        return [{"key": key, "value": value} for key, value in self.items()]

    def __str__(self) -> str:
        return _json(self)


class JsonArray(list):
    """A JSON array in a template: Java's list methods, and JSON when printed."""

    def size(self) -> int:
        """The number of elements."""
        return len(self)

    def isEmpty(self) -> bool:  # noqa: N802
        """Whether the array is empty."""
        return not self

    def get(self, index: int) -> Any:
        """One element."""
        return self[index]

    def contains(self, value: Any) -> bool:
        """Whether the value is an element."""
        return value in self

    def __str__(self) -> str:
        return _json(self)


class Input:
    """`$input`."""

    def __init__(self, body: str, parameters: Mapping[str, Mapping[str, str]]) -> None:
        self.body = body
        self._parameters = {
            "path": JsonObject(parameters.get("path") or {}),
            "querystring": JsonObject(parameters.get("querystring") or {}),
            "header": Headers(parameters.get("header") or {}),
        }

    def json(self, path: str = "$") -> str:
        """The value at the path as JSON text (a string keeps its quotes); empty quotes if there is none."""
        try:
            return _json(json_path.select(json.loads(self.body), path))
        except (ValueError, json_path.Missing):
            return '""'

    def path(self, path: str = "$") -> Any:
        """The value at the path, which a template can iterate over; empty if there is none."""
        try:
            return _walkable(json_path.select(json.loads(self.body), path))
        except (ValueError, json_path.Missing):
            return ""

    def params(self, name: str | None = None) -> Any:
        """All parameters, those of one part, or one parameter from path, query string or header, in that order."""
        if name is None:
            return JsonObject(self._parameters)
        if name in self._parameters:
            return self._parameters[name]
        for part in self._parameters.values():
            found = part.get(name)
            if found is not None:
                return found
        return ""


class Util:
    """`$util`."""

    def urlEncode(self, text: Any) -> str:  # noqa: N802
        """`java.net.URLEncoder` in UTF-8: letters, digits and `.-*_` stay, a space becomes `+`."""
        # An unpaired surrogate, which UTF-8 cannot encode, becomes `?`, as in Java.
        return urllib.parse.quote_plus(_text(text), safe="*", errors="replace").replace("~", "%7E")

    def urlDecode(self, text: Any) -> str:  # noqa: N802
        """The opposite of `urlEncode`."""
        return urllib.parse.unquote_plus(_text(text))

    def escapeJavaScript(self, text: Any) -> str:  # noqa: N802
        """JavaScript string rules, as Apache Commons Lang: also `'` and `/`, and `\\uXXXX` outside ASCII."""
        return "".join(map(_escape_javascript, _text(text)))

    def base64Encode(self, text: Any) -> str:  # noqa: N802
        """Base64 of the UTF-8 bytes."""
        return base64.b64encode(_text(text).encode("utf-8", "replace")).decode()

    def base64Decode(self, text: Any) -> str:  # noqa: N802
        """The text of the decoded UTF-8 bytes."""
        return base64.b64decode(_text(text)).decode("utf-8", "replace")

    def parseJson(self, text: Any) -> Any:  # noqa: N802
        """The value that the JSON text describes."""
        return _walkable(json.loads(_text(text)))


def _escape_javascript(character: str) -> str:
    if character in _JAVASCRIPT_ESCAPES:
        return _JAVASCRIPT_ESCAPES[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


def _walkable(value: Any) -> Any:
    if isinstance(value, dict):
        return JsonObject((name, _walkable(child)) for name, child in value.items())
    if isinstance(value, list):
        return JsonArray(_walkable(child) for child in value)
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
