"""Errors of an SQS integration reach the response template as JSON.

AWS: API Gateway asks SQS for JSON, so an error is
`{"Error":{"Code":…,"Message":…,"Type":…},"RequestId":…}` with SQS's status.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-responses.html
(the guide shows the XML of the same structure)

MiniStack 1.5.33: successes of SendMessage are JSON, errors are XML, on which `$input.path` finds nothing.

Here: errors as JSON of the same structure.
"""

import json
import xml.etree.ElementTree as ElementTree

from ministack.services import apigateway_v1 as v1

_ROOT = "ErrorResponse"


def apply() -> None:
    """Wrap the mapping of the service's answer."""
    answer = v1._service_integration_response

    def answer_as_json(integration, backend_status, backend_text, *rest, **named):
        return answer(integration, backend_status, _as_json(backend_text), *rest, **named)

    v1._service_integration_response = answer_as_json


def _as_json(text: str) -> str:
    if f"<{_ROOT}" not in text[:200]:
        return text
    try:
        tree = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return text
    found = {element.tag.rpartition("}")[2]: element.text for element in tree.iter()}
    error = {name: found.get(name) for name in ("Code", "Message", "Type")}
    return json.dumps({"Error": error, "RequestId": found.get("RequestId")})
