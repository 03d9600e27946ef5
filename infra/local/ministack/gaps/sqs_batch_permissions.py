"""Permissions to send, delete and hide messages in batches.

AWS: a batch needs the permission for one message: `sqs:ChangeMessageVisibility` for ChangeMessageVisibilityBatch.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html

MiniStack 1.5.33, with AUTH=true: requires a permission with the name of the batch action, which AWS does not have.

Here: the permission for one message.
"""

from ministack.core import iam_actions


def apply() -> None:
    """Wrap the naming of a request's action."""
    extract = iam_actions.extract_iam_action

    def extract_as_aws_names_it(service, *arguments, **named):
        action = extract(service, *arguments, **named)
        return action.removesuffix("Batch") if action and service == "sqs" else action

    iam_actions.extract_iam_action = extract_as_aws_names_it
