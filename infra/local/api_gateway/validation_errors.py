"""The violations that API Gateway finds in a body, in the text of its validator: `$context.error.validationErrorString`.

AWS documents only "a string containing a detailed validation error message". Answers of real APIs in public repositories show the
sentences of the Java library json-schema-validator in square brackets. Inside a JSON string of a template, their quotes are escaped:
`"detail": "[object has missing required properties ([\\"bar\\"]), object instance has properties which are not allowed …]"`.
They do not name the place in the body.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
https://github.com/java-json-tools/json-schema-validator/blob/master/src/main/resources/com/github/fge/jsonschema/validator/validation.properties

Both emulators use this module. Their validators decide whether a body is valid; this module lists the violations. AWS's text for a
body that is not JSON is unknown.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema

_TYPES = {"NoneType": "null", "bool": "boolean", "int": "integer", "float": "number", "str": "string", "list": "array", "dict": "object"}


def describe(body: bytes, schema: Any) -> str:
    """`[sentence, sentence]`, escaped as inside a JSON string."""
    return json.dumps(f"[{', '.join(_sentences(body, schema))}]", ensure_ascii=False)[1:-1]


def parse(body: bytes) -> Any:
    """The value of strict JSON in UTF-8. Raises ValueError or RecursionError for other bodies."""
    return json.loads(body.decode("utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _sentences(body: bytes, schema: Any) -> list[str]:
    try:
        document = parse(body)
    except UnicodeDecodeError:
        return ["the body is not valid UTF-8"]
    except RecursionError:
        return ["the body is nested too deeply"]
    except ValueError:
        return ["the body is not JSON"]
    try:
        found = jsonschema.Draft4Validator(schema).iter_errors(document)
        return sorted({_sentence(error) for error in found})
    except (jsonschema.exceptions.SchemaError, RecursionError, TypeError, ValueError):
        return ["the body does not match the model"]


def _sentence(error: jsonschema.ValidationError) -> str:
    rule, instance = error.validator_value, error.instance
    if error.validator == "required":
        return f"object has missing required properties ({_list(name for name in rule if name not in instance)})"
    if error.validator == "additionalProperties":
        extra = set(instance) - set(error.schema.get("properties") or {})
        return f"object instance has properties which are not allowed by the schema: {_list(extra)}"
    if error.validator == "type":
        allowed = [rule] if isinstance(rule, str) else rule
        kind = _TYPES[type(instance).__name__]
        return f"instance type ({kind}) does not match any allowed primitive type (allowed: {_list(allowed)})"
    if error.validator == "pattern":
        return f'ECMA 262 regex "{rule}" does not match input string "{instance}"'
    if error.validator == "maxLength":
        return f'string "{instance}" is too long (length: {len(instance)}, maximum allowed: {rule})'
    if error.validator == "minimum":
        return f"numeric instance is lower than the required minimum (minimum: {rule}, found: {instance})"
    if error.validator == "maximum":
        return f"numeric instance is greater than the required maximum (maximum: {rule}, found: {instance})"
    if error.validator == "minItems":
        return f"array is too short: must have at least {rule} elements but instance has {len(instance)} elements"
    if error.validator == "maxItems":
        return f"array is too long: must have at most {rule} elements but instance has {len(instance)} elements"
    return f"instance does not match {error.validator}"


def _list(names: Any) -> str:
    return json.dumps(sorted(names), separators=(",", ":"), ensure_ascii=False)
