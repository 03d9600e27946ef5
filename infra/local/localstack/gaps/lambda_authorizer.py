"""Lambda authorizers of REST APIs.

AWS: a method with authorization CUSTOM invokes the authorizer's function first. A token that is missing, or that the identity
validation expression does not match, is UNAUTHORIZED without an invocation. The policy in the function's answer must allow the
method; otherwise the response is ACCESS_DENIED. The context in the answer becomes `$context.authorizer.*`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

LocalStack 2026.3.0: lets every request through; authorizers are in its paid plans.

Here: authorizers of type TOKEN, invoked for every request. Results are not cached (authorizerResultTtlInSeconds), and conditions
of policies are ignored.
"""

import json
import re

from localstack.services.apigateway.next_gen.execute_api import gateway_response, handlers, helpers
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.utils.aws.arns import get_partition

_INVOKE = "execute-api:Invoke"
# With this error message of a function, the caller gets 401.
_UNAUTHORIZED = "Unauthorized"


def apply() -> None:
    """Add a handler after the routing."""
    handlers.preprocess_request.append(_authorize)


def _authorize(_chain, context, _response) -> None:
    method = context.resource_method
    if method.get("authorizationType") != "CUSTOM":
        return
    authorizer = context.deployment.rest_api.authorizers[method["authorizerId"]]
    if authorizer["type"] != "TOKEN":
        raise gateway_response.AuthorizerConfigurationError(f"No authorizers of type {authorizer['type']} here")
    token = context.invocation_request["headers"].get(authorizer["identitySource"].removeprefix("method.request.header."), "")
    if not token or not re.fullmatch(authorizer.get("identityValidationExpression") or ".*", token):
        raise gateway_response.UnauthorizedError("Unauthorized")
    method_arn = _method_arn(context)
    answer = _ask(context, authorizer, {"type": "TOKEN", "methodArn": method_arn, "authorizationToken": token})
    if not _allows(answer["policyDocument"], method_arn):
        raise gateway_response.AccessDeniedError("User is not authorized to access this resource")
    said = {name: _text(value) for name, value in (answer.get("context") or {}).items()}
    context.context_variables["authorizer"] = {"principalId": answer["principalId"], **said}


def _method_arn(context) -> str:
    path = context.invocation_request["path"].lstrip("/")
    where = f"{context.region}:{context.account_id}:{context.api_id}/{context.stage}"
    return f"arn:{get_partition(context.region)}:execute-api:{where}/{context.request.method}/{path}"


def _ask(context, authorizer, event) -> dict:
    function = helpers.get_lambda_function_arn_from_invocation_uri(authorizer["authorizerUri"])
    source = f"{_method_arn(context).split('/')[0]}/authorizers/{authorizer['id']}"
    try:
        answer = json.loads(RestApiAwsProxyIntegration.call_lambda(function, json.dumps(event).encode(), source))
    except Exception as error:  # The caller gets no details of any error.
        raise gateway_response.AuthorizerFailureError("Internal server error") from error
    if isinstance(answer, dict) and answer.get("errorMessage") == _UNAUTHORIZED:
        raise gateway_response.UnauthorizedError("Unauthorized")
    if not isinstance(answer, dict) or "policyDocument" not in answer or "principalId" not in answer:
        raise gateway_response.AuthorizerConfigurationError("Internal server error")
    return answer


def _allows(policy, method_arn: str) -> bool:
    """Whether a statement allows the method and none denies it."""
    effects = {statement["Effect"] for statement in _list(policy["Statement"]) if _applies(statement, method_arn)}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement, method_arn: str) -> bool:
    actions, resources = _list(statement["Action"]), _list(statement["Resource"])
    return any(_matches(action, _INVOKE) for action in actions) and any(_matches(arn, method_arn) for arn in resources)


def _matches(pattern: str, text: str) -> bool:
    """Wildcards of policies: `*` matches any text, `?` any character."""
    expression = "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _list(value) -> list:
    return value if isinstance(value, list) else [value]


def _text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
