"""The plugin that LocalStack finds by the entry point."""

from __future__ import annotations

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=process`."""

    name = "process"

    def load(self, *args: object, **kwargs: object) -> type:
        """The executor's class; imported late, as LocalStack's own is."""
        from .executor import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor
