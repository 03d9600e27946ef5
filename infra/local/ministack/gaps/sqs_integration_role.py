"""The identity with which API Gateway sends to a queue.

AWS: the role in the integration's `credentials`. Its policies and the queue's policy decide.
https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-creating-custom-policies.html

MiniStack 1.5.33, with AUTH=true: the account. It ignores the role's policies, and evaluates the queue's policy for the account.

Here: the role.
"""

import contextvars

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1 as v1
from ministack.services import sqs

_role: contextvars.ContextVar[str] = contextvars.ContextVar("sqs_integration_role", default="")


def apply() -> None:
    """Wrap the integration, to set the caller, and the call, to check the role's permissions."""
    invoke, dispatch = v1._invoke_sqs_v1, sqs._dispatch

    async def invoke_as_role(integration, *rest, **named):
        role = integration.get("credentials") or ""
        tokens = _role.set(role), iam_evaluator._request_caller_arn.set(role)
        try:
            return await invoke(integration, *rest, **named)
        finally:
            _role.reset(tokens[0])
            iam_evaluator._request_caller_arn.reset(tokens[1])

    async def dispatch_as_role(action, data, queue_url, *rest, **named):
        from ministack.app import AUTH

        if AUTH and _role.get() and not _may(_role.get(), f"sqs:{action}", queue_url.rsplit("/", 1)[-1]):
            raise sqs._Err("AccessDenied", "Access to the resource is denied.", 403)
        return await dispatch(action, data, queue_url, *rest, **named)

    v1._invoke_sqs_v1, sqs._dispatch = invoke_as_role, dispatch_as_role


def _may(role: str, action: str, queue: str) -> bool:
    """Whether the role's policies allow it."""
    account = get_account_id()
    asked = iam_evaluator.EvalContext(
        principal_arn=role, principal_type="AssumedRole", principal_account=account, action=action,
        resource_arn=f"arn:aws:sqs:{get_region()}:{account}:{queue}", region=get_region(),
    )  # fmt: skip
    policies = iam_evaluator._gather_role_policies(role.rsplit("/", 1)[-1], account)
    return iam_evaluator.evaluate(asked, policies).decision == "Allow"
