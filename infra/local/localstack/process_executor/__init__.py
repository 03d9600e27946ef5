"""A LocalStack plugin that runs Lambda functions of `provided.*` runtimes as processes of this machine.

LocalStack asks its plugin `docker` to run functions in containers; `LAMBDA_RUNTIME_EXECUTOR=process` has it ask this one.
What Lambda does around a function is done here: the Runtime API, timeouts, crashes, logs. What is not: memory limits,
the freezing of a function between invocations, layers and extensions, and a separate file system and user.
"""
