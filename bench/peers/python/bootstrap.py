"""A minimal replacement for the loop of Lambda's managed Python runtime."""

import json
import os
from http.client import HTTPConnection

from handler import handle

INVOCATIONS = "/2018-06-01/runtime/invocation"

runtime = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    runtime.request("GET", f"{INVOCATIONS}/next")
    response = runtime.getresponse()
    request_id = response.headers["lambda-runtime-aws-request-id"]
    answer = handle(json.loads(response.read()), request_id)
    runtime.request("POST", f"{INVOCATIONS}/{request_id}/response", json.dumps(answer).encode())
    runtime.getresponse().read()
