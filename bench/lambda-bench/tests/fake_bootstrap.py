"""A bootstrap that writes one item for each event and ignores the event's content."""

import json
import os
import ssl
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

INVOCATIONS = "/2018-06-01/runtime/invocation"
WRITE = json.dumps({"TableName": "orders", "Item": {"pk": {"S": "an item"}}})
HEADERS = {"x-amz-target": "DynamoDB_20120810.PutItem"}

runtime = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
url = urlsplit(os.environ["AWS_ENDPOINT_URL"])
if url.scheme == "https":
    aws = HTTPSConnection(url.netloc, context=ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"]))
else:
    aws = HTTPConnection(url.netloc)
aws.connect()
while True:
    runtime.request("GET", f"{INVOCATIONS}/next")
    response = runtime.getresponse()
    request_id = response.headers["lambda-runtime-aws-request-id"]
    response.read()
    aws.request("POST", "/", WRITE, HEADERS)
    aws.getresponse().read()
    runtime.request("POST", f"{INVOCATIONS}/{request_id}/response", '"stored"')
    runtime.getresponse().read()
