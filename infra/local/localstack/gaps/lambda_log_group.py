"""Where functions log.

AWS: to the log group that LoggingConfig names.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html

LocalStack 2026.3.0: always to /aws/lambda/FUNCTION.

Here: to the log group that LoggingConfig names, also in AWS_LAMBDA_LOG_GROUP_NAME.
"""

from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment


def apply() -> None:
    """Wrap the function that names the log group of an execution environment."""
    usual = ExecutionEnvironment.get_log_group_name

    def named(self) -> str:
        return (self.function_version.config.logging_config or {}).get("LogGroup") or usual(self)

    ExecutionEnvironment.get_log_group_name = named
