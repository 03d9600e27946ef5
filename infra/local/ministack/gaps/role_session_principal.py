"""The value of `aws:PrincipalArn` for a caller with the credentials of a role.

AWS: the ARN of the role.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn

MiniStack 1.5.33, with AUTH=true: the ARN of the session, so that a policy of a topic or queue never matches a function's role.

Here: the ARN of the role.
"""

from ministack.core import iam_evaluator
from ministack.services import iam


def apply() -> None:
    """Wrap the look-up of condition keys."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_role(key, context):
        value = resolve(key, context)
        return _role_of(value) if key.lower() == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = resolve_role


def _role_of(arn: str) -> str:
    """The role's ARN instead of its session's; other ARNs unchanged."""
    session, marker, name = arn.partition(":assumed-role/")
    role = iam._roles.get_scoped(session.rsplit(":", 1)[-1], None, name.split("/")[0]) if marker else None
    return role["Arn"] if role else arn
