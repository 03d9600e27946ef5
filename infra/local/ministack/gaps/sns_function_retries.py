"""Failures of a function that SNS invokes.

AWS: SNS invokes functions asynchronously. Lambda retries, then sends the event to the function's failure destination.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

MiniStack 1.5.33: invokes the function once, even if it fails.

Here: MiniStack's asynchronous invocation, which retries and uses the failure destination.
"""

import json

from ministack.services import lambda_svc, sns


def apply() -> None:
    """Wrap the delivery to functions."""
    deliver = sns._deliver_to_lambda

    def deliver_to_function(endpoint, envelope, topic, subscription, *rest):
        function, config, _ = lambda_svc._get_func_record_for_ref(endpoint)
        if not function or not config:
            return deliver(endpoint, envelope, topic, subscription, *rest)
        record = {"EventVersion": "1.0", "EventSubscriptionArn": subscription, "EventSource": "aws:sns", "Sns": json.loads(envelope)}
        return lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), {"Records": [record]})

    sns._deliver_to_lambda = deliver_to_function
