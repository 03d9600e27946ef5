"""Each gap exists in stock MiniStack and is closed in the local cloud.

A probe does the same with both servers. If stock MiniStack answers like AWS, the test fails and names the module to delete.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY
from urllib.parse import quote

import botocore.exceptions
from eventually import eventually
from localcloud.processes import wait_until
from servers import Answer, Server

_servers: dict[str, Server] = {}
_numbers = itertools.count(1)

ACCOUNT = "000000000000"
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}


def setUpModule() -> None:  # noqa: N802  (unittest's name)
    """One stock server and one with its gaps closed, for all tests."""
    _servers.update(stock=Server.stock(), patched=Server.patched())
    for server in _servers.values():
        unittest.addModuleCleanup(server.stop)
    for server in _servers.values():
        server.wait_ready()


def fresh(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


class GapTest(unittest.TestCase):
    """A test of one module in `gaps`."""

    gap = ""
    maxDiff = None

    def expect(self, probe: Callable[[Server], Any], like_aws: Any) -> None:
        """The local cloud must answer like AWS, and stock MiniStack must not."""
        try:
            stock = probe(_servers["stock"])
        except Exception as error:  # Any failure shows the gap.
            stock = error
        if stock == like_aws:
            self.fail(f"The gap is gone in this MiniStack: delete gaps/{self.gap}.py and this test, or the part it tests.")
        self.assertEqual(probe(_servers["patched"]), like_aws)

    def hold(self, probe: Callable[[Server], Any], like_aws: Any) -> None:
        """Both must answer like AWS: the gaps must not break what MiniStack does right."""
        for name, server in _servers.items():
            with self.subTest(server=name):
                self.assertEqual(probe(server), like_aws)


def to_queue(queue: str, template: str, responses: list[dict] | None = None, **more: Any) -> dict[str, Any]:
    """An SQS integration; its default response is 202 with the message id."""
    success = {"application/json": """{"id":"$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}"""}
    return {
        "type": "AWS",
        "uri": f"arn:aws:apigateway:us-east-1:sqs:path/{ACCOUNT}/{queue}",
        "requestTemplates": {"application/json": template},
        "requestParameters": FORM,
        "passthroughBehavior": "NEVER",
        "responses": responses or [{"statusCode": "202", "responseTemplates": success}],
        **more,
    }


def mock(template: str, responses: list[dict]) -> dict[str, Any]:
    """A MOCK integration."""
    return {"type": "MOCK", "requestTemplates": {"application/json": template}, "responses": responses}


def proxy(function_arn: str) -> dict[str, Any]:
    """A Lambda proxy integration, as OpenAPI or as arguments of an API call."""
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    return {"type": "AWS_PROXY", "uri": uri}


ENCODED_BODY = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"


def rendered(server: Server, template: str, body: str = "{}", path: str = "/send", **headers: str) -> str:
    """The template's result for a request, read from the queue. The template must not contain spaces, `&`, `=`, `%` or `+`."""
    queue = fresh("rendered")
    url, _ = server.queue(queue)
    part = "{id}/send" if path != "/send" else "send"
    api = server.api({part: to_queue(queue, f"Action=SendMessage&MessageBody={template}")}, {"greeting": "hello"})
    answer = server.call(api, "POST", path, body.encode(), content_type="application/json", **headers)
    if answer.status != 202:
        raise AssertionError(answer)
    return server.receive(url)["Body"]


class VelocityTemplates(GapTest):
    gap = "velocity_templates"

    def test_context_has_the_request(self) -> None:
        template = "$context.stage/$context.httpMethod/$context.resourcePath/$context.apiId.length()"
        self.expect(lambda server: rendered(server, template), "test/POST//send/8")

    def test_if_and_foreach_work(self) -> None:
        template = "#foreach($sku in $input.path('$.skus'))#if($sku != 'b')$sku;#end#end"
        self.expect(lambda server: rendered(server, template, '{"skus":["a","b","c"]}'), "a;c;")

    def test_json_of_a_string_keeps_its_quotes(self) -> None:
        self.expect(lambda server: rendered(server, "$input.json('$.a')", '{"a":"b"}'), '"b"')

    def test_parameters_come_from_path_query_string_and_header_whatever_its_case(self) -> None:
        template = "$input.params('id')-$input.params('q')-$input.params('X-Mixed')-$input.params().path.id"
        self.expect(lambda server: rendered(server, template, path="/7/send?q=8", x_mixed="9"), "7-8-9-7")

    def test_stage_variables_reach_templates(self) -> None:
        self.expect(lambda server: rendered(server, "$stageVariables.greeting"), "hello")

    def test_util_has_all_functions(self) -> None:
        template = (
            "$util.urlEncode(\"$util.escapeJavaScript($input.path('$.quote'))|$util.base64Encode('ab')"
            "|$util.base64Decode('YWI=')|$util.urlDecode('a%2Bb')|$util.parseJson($input.body).n\")"
        )
        body = json.dumps({"quote": "it's", "n": 1})
        self.expect(lambda server: rendered(server, template, body), "it\\'s|YWI=|ab|a+b|1")

    def test_a_template_overrides_the_status_and_headers(self) -> None:
        def probe(server: Server) -> tuple:
            queue = fresh("override")
            server.queue(queue)
            template = (
                "#if($input.path('$.Error.Code') != '')#set($context.responseOverride.status = 418)"
                '#set($context.responseOverride.header.X-Why = "teapot")#end{}'
            )
            responses = [{"statusCode": "202", "responseTemplates": {"application/json": template}}]
            api = server.api({"send": to_queue(queue, "Action=SendMessage&MessageBody=", responses)})
            answer = server.call(api, "POST", "/send", b"{}")
            return answer.status, answer.headers.get("x-why")

        self.expect(probe, (418, "teapot"))

    def test_the_answer_has_the_content_type_of_its_template(self) -> None:
        def probe(server: Server) -> str:
            queue = fresh("type")
            server.queue(queue)
            responses = [{"statusCode": "202", "responseTemplates": {"application/problem+json": "{}"}}]
            api = server.api({"send": to_queue(queue, ENCODED_BODY, responses)})
            return server.call(api, "POST", "/send", b"{}").headers["content-type"]

        self.expect(probe, "application/problem+json")

    def test_a_broken_template_is_500_without_internals(self) -> None:
        def probe(server: Server) -> tuple:
            queue = fresh("broken")
            server.queue(queue)
            answer = server.call(server.api({"send": to_queue(queue, "#set($x = )")}), "POST", "/send", b"{}")
            return answer.status, answer.text.replace(" ", "")

        self.expect(probe, (500, '{"message":"Internalservererror"}'))

    def test_hostile_bodies_arrive_byte_for_byte(self) -> None:
        body = '{"a":"&DelaySeconds=900&x=%41+ \\u00e9é 🦀 \'\\"$input.body #if(1) ~*\\n"}'

        def probe(server: Server) -> str:
            return rendered(server, "$util.urlEncode($input.body)", body)

        self.hold(probe, body)


class MockIntegration(GapTest):
    gap = "mock_integration"

    def test_request_and_response_templates_are_rendered(self) -> None:
        def probe(server: Server) -> tuple:
            request = '#set($wanted = 405){"statusCode": $wanted}'
            headers = {"method.response.header.Allow": "'GET, PUT'", "method.response.header.X-Method": "context.httpMethod"}
            responses = [
                {"statusCode": "405", "selectionPattern": "405", "responseParameters": headers,
                 "responseTemplates": {"application/problem+json": '{"title":"$context.httpMethod is not allowed"}'}},
                {"statusCode": "200"},
            ]  # fmt: skip
            answer = server.call(server.api({"mock": mock(request, responses)}), "POST", "/mock")
            return (answer.status, answer.text, *(answer.headers.get(each) for each in ("content-type", "allow", "x-method")))

        like_aws = (405, '{"title":"POST is not allowed"}', "application/problem+json", "GET, PUT", "POST")
        self.expect(probe, like_aws)


class SqsIntegrationRole(GapTest):
    gap = "sqs_integration_role"

    def test_the_role_of_the_integration_decides(self) -> None:
        def probe(server: Server) -> dict[str, int]:
            return {allowed: self._send_as(server, allowed) for allowed in ("sqs:SendMessage", "sqs:ReceiveMessage")}

        self.expect(probe, {"sqs:SendMessage": 200, "sqs:ReceiveMessage": 403})

    def _send_as(self, server: Server, allowed: str) -> int:
        """The status of a message sent with a role that has only that permission."""
        queue, role = fresh("queue"), fresh("role")
        server.queue(queue)
        trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        iam = server.client("iam")
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps({"Statement": [policy]}))
        responses = [{"statusCode": "403", "selectionPattern": "403"}, {"statusCode": "200"}]
        integration = to_queue(queue, ENCODED_BODY, responses)
        integration["credentials"] = arn
        return server.call(server.api({"send": integration}), "POST", "/send", b"{}").status


class SqsErrorsAsJson(GapTest):
    gap = "sqs_errors_as_json"

    ERROR = """{"code":"$input.path('$.Error.Code')","type":"$input.path('$.Error.Type')"}"""

    def _send(self, server: Server, body: bytes, template: str = ENCODED_BODY) -> tuple:
        queue = fresh("errors")
        server.queue(queue)
        responses = [
            {"statusCode": "400", "selectionPattern": "4\\d{2}", "responseTemplates": {"application/json": self.ERROR}},
            {"statusCode": "202"},
        ]
        answer = server.call(server.api({"send": to_queue(queue, template, responses)}), "POST", "/send", body)
        return answer.status, answer.text

    def test_a_missing_queue_is_reported_with_its_code(self) -> None:
        def probe(server: Server) -> str:
            responses = [{"statusCode": "400", "responseTemplates": {"application/json": self.ERROR}}]
            api = server.api({"send": to_queue("nowhere", ENCODED_BODY, responses)})
            return json.loads(server.call(api, "POST", "/send", b"{}").text)

        self.expect(probe, {"code": "AWS.SimpleQueueService.NonExistentQueue", "type": "Sender"})

    def test_a_message_over_one_mebibyte_is_a_400(self) -> None:
        body = b'{"a":"%s"}' % (b"x" * (1 << 20))
        self.expect(lambda server: self._send(server, body), (400, '{"code":"InvalidParameterValue","type":"Sender"}'))

    def test_a_message_of_one_mebibyte_is_sent(self) -> None:
        body = b'{"a":"%s"}' % (b"&" * ((1 << 20) - 8))
        self.hold(lambda server: self._send(server, body)[0], 202)

    def test_characters_that_sqs_forbids_are_a_400(self) -> None:
        like_aws = (400, '{"code":"InvalidMessageContents","type":"Sender"}')
        for character in ("\ufffe", "\uffff", "\x0b"):
            body = f'{{"a":"{character}"}}'.encode()
            with self.subTest(character=repr(character)):
                self.expect(lambda server, body=body: self._send(server, body), like_aws)


class SqsMessageChecks(GapTest):
    gap = "sqs_message_checks"

    def _code(self, server: Server, **attribute: Any) -> str:
        client = server.client("sqs")
        url, _ = server.queue(fresh("attributes"))
        name = attribute.pop("Name", "orderId")
        body = attribute.pop("Body", "x")
        try:
            client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes={name: attribute})
        except client.exceptions.ClientError as error:
            return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {error.response['Error']['Code']}"
        return "sent"

    def test_refuses_invalid_attributes(self) -> None:
        cases = {
            "empty": {"DataType": "String", "StringValue": ""},
            "U+FFFE": {"DataType": "String", "StringValue": "a\ufffe"},
            "control character": {"DataType": "String", "StringValue": "a\x01"},
            "type": {"DataType": "Text", "StringValue": "a"},
            "number": {"DataType": "Number", "StringValue": "one"},
            "name": {"Name": "a b", "DataType": "String", "StringValue": "a"},
            "reserved name": {"Name": "AWS.x", "DataType": "String", "StringValue": "a"},
            "size": {"Body": "x" * ((1 << 20) - 10), "DataType": "String", "StringValue": "a" * 10},
        }
        for name, attribute in cases.items():
            with self.subTest(name):
                self.expect(lambda server, given=attribute: self._code(server, **given), "400 InvalidParameterValue")

    def test_takes_valid_attributes(self) -> None:
        for attribute in (
            {"DataType": "String", "StringValue": "é 🦀\t\r\n"},
            {"DataType": "Number", "StringValue": "-1.5e3"},
            {"DataType": "Binary", "BinaryValue": b"\0\xff"},
            {"DataType": "String.uuid", "StringValue": "x"},
        ):
            with self.subTest(attribute=attribute):
                self.hold(lambda server, given=attribute: self._code(server, **given), "sent")


class SqsSystemAttributes(GapTest):
    gap = "sqs_system_attributes"

    def test_a_form_carries_the_trace_header(self) -> None:
        trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
        value = f"Value.DataType=String&MessageSystemAttribute.1.Value.StringValue={quote(trace)}"
        form = f"{ENCODED_BODY}&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.{value}"

        def probe(server: Server) -> str:
            queue = fresh("trace")
            url, _ = server.queue(queue)
            server.call(server.api({"send": to_queue(queue, form)}), "POST", "/send", b"{}")
            received = server.client("sqs").receive_message(
                QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"], WaitTimeSeconds=2
            )
            return received["Messages"][0]["Attributes"]["AWSTraceHeader"]

        self.expect(probe, trace)


class MessageMoveTask(GapTest):
    gap = "message_move_task"

    def test_a_redrive_moves_the_messages_back(self) -> None:
        def probe(server: Server) -> tuple:
            client = server.client("sqs")
            dead_url, dead_arn = server.queue(fresh("dead"))
            policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
            url, _ = server.queue(fresh("source"), RedrivePolicy=policy)
            client.send_message(QueueUrl=dead_url, MessageBody="again")
            client.start_message_move_task(SourceArn=dead_arn)
            task = eventually(
                lambda: client.list_message_move_tasks(SourceArn=dead_arn)["Results"][0], lambda each: each["Status"] != "RUNNING"
            )
            return server.receive(url)["Body"], task["Status"], task["ApproximateNumberOfMessagesMoved"]

        self.expect(probe, ("again", "COMPLETED", 1))


class CloudFormationResources(GapTest):
    gap = "request_validator, dynamodb_ttl"

    def test_a_request_validator_validates(self) -> None:
        def probe(server: Server) -> int:
            reference = {"RestApiId": {"Ref": "Api"}}
            body_model = {"type": "object", "required": ["items"]}
            outputs = server.deploy({"Resources": {
                "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "validated"}},
                "Model": {"Type": "AWS::ApiGateway::Model", "Properties": {
                    **reference, "Name": "Order", "ContentType": "application/json", "Schema": body_model}},
                "Validator": {"Type": "AWS::ApiGateway::RequestValidator", "Properties": {
                    **reference, "ValidateRequestBody": True}},
                "Resource": {"Type": "AWS::ApiGateway::Resource", "Properties": {
                    **reference, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "orders"}},
                "Method": {"Type": "AWS::ApiGateway::Method", "DependsOn": ["Model"], "Properties": {
                    **reference, "ResourceId": {"Ref": "Resource"}, "HttpMethod": "POST", "AuthorizationType": "NONE",
                    "RequestValidatorId": {"Ref": "Validator"}, "RequestModels": {"application/json": "Order"},
                    "Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": '{"statusCode":200}'},
                                    "IntegrationResponses": [{"StatusCode": "200"}]}}},
                "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": ["Method"], "Properties": {
                    **reference, "StageName": "test"}},
            }, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}, fresh("validator"))  # fmt: skip
            return server.call(outputs["Id"], "POST", "/orders", b"{}").status

        self.expect(probe, 400)

    def test_a_table_has_its_time_to_live(self) -> None:
        def probe(server: Server) -> dict:
            outputs = server.deploy({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
                "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
            }}}, "Outputs": {"Name": {"Value": {"Ref": "Table"}}}}, fresh("table"))  # fmt: skip
            return server.client("dynamodb").describe_time_to_live(TableName=outputs["Name"])["TimeToLiveDescription"]

        self.expect(probe, {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"})


class MethodSettings(GapTest):
    gap = "method_settings"

    def test_a_method_has_its_own_limits_from_a_template(self) -> None:
        def probe(server: Server) -> list[int]:
            answer = {"responses": {"200": {"description": "Done"}}, "x-amazon-apigateway-integration": {
                "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
                "responses": {"default": {"statusCode": "200"}}}}
            paths = {"/limited/{id}": {"get": answer}, "/free/{id}": {"get": answer}}
            none_at_all = {"ResourcePath": "/~1limited~1{id}", "HttpMethod": "GET", "ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0}
            document = {"openapi": "3.0.1", "info": {"title": fresh("limited"), "version": "1"}, "paths": paths}
            api = deployed(server, document, fresh("limited"), settings=[none_at_all])
            return [server.call(api, "GET", f"/{path}/7").status for path in ("limited", "free")]

        self.expect(probe, [429, 200])


class EventSourceMappingNumbers(GapTest):
    gap = "event_source_mapping_numbers"

    def test_a_maximum_concurrency_from_a_parameter_delivers_messages(self) -> None:
        def probe(server: Server) -> bool:
            with tempfile.NamedTemporaryFile("r") as events:
                handler = f'open({events.name!r}, "a").write(event["Records"][0]["body"]); return {{}}'
                function, (url, arn) = server.function(fresh("worker"), handler), server.queue(fresh("work"))
                server.deploy({
                    "Parameters": {"Concurrency": {"Type": "Number", "Default": 2}},
                    "Resources": {"Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                        "EventSourceArn": arn, "FunctionName": function,
                        "ScalingConfig": {"MaximumConcurrency": {"Ref": "Concurrency"}}}}},
                }, fresh("worker"))  # fmt: skip
                server.client("sqs").send_message(QueueUrl=url, MessageBody="work")
                return wait_until(lambda: events.seek(0) or events.read() == "work", 10)

        self.expect(probe, True)


class RuntimeApiNodelay(GapTest):
    gap = "runtime_api_nodelay"

    def test_an_invocation_does_not_wait_for_an_acknowledgement(self) -> None:
        def probe(server: Server) -> bool:
            name = fresh("quick")
            server.function(name, 'print("called", flush=True); return {}')
            client = server.client("lambda")

            def quick() -> bool:
                started = time.perf_counter()
                client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read()
                return time.perf_counter() - started < 0.035

            # Nearly every invocation waits 40 ms, or none: a busy machine delays only some.
            return wait_until(lambda: all(quick() for _ in range(3)), 5)

        self.expect(probe, True)


class LambdaFailures(GapTest):
    gap = "lambda_failures"

    def test_an_error_text_stays_inside(self) -> None:
        def probe(server: Server) -> tuple:
            api = server.api({"fail": proxy(server.function(fresh("fails"), 'raise ValueError("password 123")'))})
            answer = server.call(api, "POST", "/fail")
            return answer.status, answer.text.replace(" ", "")

        self.expect(probe, (502, '{"message":"Internalservererror"}'))

    def test_a_throttled_function_is_500(self) -> None:
        def probe(server: Server) -> tuple:
            name = fresh("throttled")
            api = server.api({"fail": proxy(server.function(name, "return {}"))})
            server.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
            answer = server.call(api, "POST", "/fail")
            return answer.status, answer.text.replace(" ", "")

        self.expect(probe, (500, '{"message":"Internalservererror"}'))

    def test_stage_variables_reach_proxy_events(self) -> None:
        def probe(server: Server) -> str:
            handler = 'return {"statusCode": 200, "body": event["stageVariables"]["greeting"]}'
            api = server.api({"echo": proxy(server.function(fresh("echo"), handler))}, {"greeting": "hello"})
            return server.call(api, "POST", "/echo").text

        self.hold(probe, "hello")


def definition(queue: str, title: str = "orders") -> dict[str, Any]:
    """An OpenAPI definition that uses all that is imported."""
    problem = '{"type":"$context.error.responseType","detail":$context.error.messageString,"id":"$context.requestId"}'
    item = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}, "additionalProperties": False}
    order = {"type": "object", "required": ["items"],
             "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}}  # fmt: skip
    success = {"application/json": """{"id":"$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}"""}
    template = ENCODED_BODY + (
        "&MessageAttribute.1.Name=orderId&MessageAttribute.1.Value.DataType=String"
        "&MessageAttribute.1.Value.StringValue=$util.urlEncode($input.params('orderId'))"
    )
    not_allowed = {
        "responses": {"405": {"description": "Not allowed"}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 405}'},
            "responses": {"default": {
                "statusCode": "405",
                "responseParameters": {"method.response.header.Allow": "'PUT'"},
                "responseTemplates": {"application/problem+json": '{"title":"Not allowed"}'},
            }},
        },
    }  # fmt: skip
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "1"},
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True, "validateRequestParameters": True}},
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_4XX": {
                "responseParameters": {"gatewayresponse.header.Content-Type": "'application/problem+json'"},
                "responseTemplates": {"application/json": problem},
            },
            "BAD_REQUEST_BODY": {
                "statusCode": 422,
                "responseTemplates": {"application/json": '{"why":"$context.error.validationErrorString"}'},
            },
        },
        "components": {"schemas": {"Order": order, "Item": item}},
        "paths": {"/orders/{orderId}": {
            "parameters": [{"name": "orderId", "in": "path", "required": True, "schema": {"type": "string"}}],
            "put": {
                "parameters": [{"name": "X-Needed", "in": "header", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "responses": {"202": {"description": "Queued"}},
                "x-amazon-apigateway-integration": {
                    "type": "aws", "httpMethod": "POST", "passthroughBehavior": "never",
                    "uri": f"arn:aws:apigateway:us-east-1:sqs:path/{ACCOUNT}/{queue}",
                    "requestParameters": FORM, "requestTemplates": {"application/json": template},
                    "responses": {"default": {"statusCode": "202", "responseTemplates": success}},
                },
            },
            "x-amazon-apigateway-any-method": not_allowed,
        }},
    }  # fmt: skip


def deployed(
    server: Server, document: dict[str, Any], stack: str, number: int = 1, settings: list[dict[str, Any]] | None = None
) -> str:
    """Id of the API that a stack makes of the definition; a new deployment for each number."""
    reference = {"RestApiId": {"Ref": "Api"}}
    return server.deploy({
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": document}},
            f"Deployment{number}": {"Type": "AWS::ApiGateway::Deployment", "Properties": reference},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
                **reference, "StageName": "test", "DeploymentId": {"Ref": f"Deployment{number}"},
                "Variables": {"greeting": "hello"}, "MethodSettings": settings or []}},
        },
        "Outputs": {"Id": {"Value": {"Ref": "Api"}}},
    }, stack)["Id"]  # fmt: skip


class OpenApiImport(GapTest):
    gap = "openapi_import"
    GOOD = b'{"items":[{"sku":"a&b"}]}'

    _apis: dict[int, tuple[str, str]] = {}

    def _api(self, server: Server) -> tuple[str, str]:
        """The API and its queue, deployed once for each server."""
        if server.port not in self._apis:
            queue = fresh("imported")
            url, _ = server.queue(queue)
            self._apis[server.port] = deployed(server, definition(queue), fresh("imported")), url
        return self._apis[server.port]

    def _put(self, server: Server, body: bytes, content_type: str = "application/json", needed: str = "yes") -> Answer:
        return server.call(self._api(server)[0], "PUT", "/orders/7%268", body, content_type=content_type, x_needed=needed)

    def test_templates_and_responses(self) -> None:
        def probe(server: Server) -> tuple:
            answer = self._put(server, self.GOOD, "application/json; charset=utf-8")
            message = server.receive(self._api(server)[1])
            attribute = message["MessageAttributes"]["orderId"]["StringValue"]
            return answer.status, json.loads(answer.text), message["Body"], attribute

        self.expect(probe, (202, {"id": ANY}, self.GOOD.decode(), "7&8"))

    def test_models_with_references_and_gateway_responses(self) -> None:
        def probe(server: Server) -> tuple:
            answer = self._put(server, b'{"items":[{"sku":"a","x":1}]}')
            return answer.status, answer.text

        why = r'{"why":"[object instance has properties which are not allowed by the schema: [\"x\"]]"}'
        self.expect(probe, (422, why))

    def test_required_parameters(self) -> None:
        def probe(server: Server) -> tuple:
            answer = self._put(server, self.GOOD, needed="")
            return answer.status, answer.headers["content-type"], json.loads(answer.text)

        body = {"type": "BAD_REQUEST_PARAMETERS", "detail": "Missing required request parameters: [X-Needed]", "id": ANY}
        self.expect(probe, (400, "application/problem+json", body))

    def test_any_method_as_a_mock_with_headers(self) -> None:
        def probe(server: Server) -> tuple:
            answer = server.call(self._api(server)[0], "DELETE", "/orders/7")
            return answer.status, answer.headers.get("allow"), answer.headers["content-type"], answer.text

        self.expect(probe, (405, "PUT", "application/problem+json", '{"title":"Not allowed"}'))

    def test_another_content_type_is_415(self) -> None:
        for body in (self.GOOD, b"not JSON"):
            with self.subTest(body=body):
                self.expect(lambda server, body=body: self._put(server, body, "text/plain").status, 415)

    def test_a_stage_has_its_variables(self) -> None:
        def probe(server: Server) -> dict:
            api = self._api(server)[0]
            return server.client("apigateway").get_stage(restApiId=api, stageName="test")["variables"]

        self.hold(probe, {"greeting": "hello"})


class StableApiId(GapTest):
    gap = "stable_api_id"

    def test_a_changed_definition_keeps_the_api_and_takes_effect(self) -> None:
        def probe(server: Server) -> tuple:
            queue, stack = fresh("stable"), fresh("stable")
            server.queue(queue)
            first = deployed(server, definition(queue), stack)
            changed = definition(queue, "changed")
            changed["components"]["schemas"]["Item"]["required"] = ["sku", "quantity"]
            changed["x-amazon-apigateway-gateway-responses"]["BAD_REQUEST_BODY"]["statusCode"] = 420
            second = deployed(server, changed, stack, 2)
            answer = server.call(second, "PUT", "/orders/7", OpenApiImport.GOOD, x_needed="yes")
            name = server.client("apigateway").get_rest_api(restApiId=second)["name"]
            return first == second, answer.status, name

        self.expect(probe, (True, 420, "changed"))


class BodyValidation(GapTest):
    gap = "body_validation"

    _apis: dict[int, str] = {}

    def _api(self, server: Server) -> str:
        """An API created by API calls, so that stock MiniStack validates too; once for each server."""
        if server.port not in self._apis:
            self._apis[server.port] = self._new_api(server)
        return self._apis[server.port]

    @staticmethod
    def _new_api(server: Server) -> str:
        client = server.client("apigateway")
        queue = fresh("validated")
        server.queue(queue)
        api = client.create_rest_api(name="validated")["id"]
        schema = json.dumps({"type": "object", "required": ["a"]})
        client.create_model(restApiId=api, name="Thing", contentType="application/json", schema=schema)
        validator = client.create_request_validator(restApiId=api, name="all", validateRequestBody=True)["id"]
        root = client.get_resources(restApiId=api)["items"][0]["id"]
        method = {"requestValidatorId": validator, "requestModels": {"application/json": "Thing"}}
        Server._resource(client, api, root, "send", to_queue(queue, ENCODED_BODY, method=method))
        client.create_deployment(restApiId=api, stageName="test")
        return api

    def _status(self, server: Server, body: bytes, content_type: str = "application/json") -> int:
        return server.call(self._api(server), "POST", "/send", body, content_type=content_type).status

    def test_only_strict_json_in_utf_8_passes(self) -> None:
        text = '{"a":"é"}'
        bodies = {
            "a byte that is not UTF-8": b'{"a":"\xff"}',
            "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
            "a byte order mark": b"\xef\xbb\xbf" + text.encode(),
            "UTF-16": text.encode("utf-16"),
            "UTF-16 without a mark": text.encode("utf-16-le"),
            "UTF-32": text.encode("utf-32"),
            "NaN": b'{"a":NaN}',
        }
        for name, body in bodies.items():
            with self.subTest(name):
                probe = lambda server, body=body: self._status(server, body)  # noqa: E731
                # Not a gap, because `json.loads` refuses them, but must stay refused.
                if name in ("a byte that is not UTF-8",):
                    self.hold(probe, 400)
                else:
                    self.expect(probe, 400)

    def test_a_content_type_without_a_model_is_not_validated(self) -> None:
        self.expect(lambda server: self._status(server, b"plain", "text/plain"), 415)

    def test_json_passes(self) -> None:
        self.hold(lambda server: self._status(server, '{"a":"é 🦀"}'.encode(), "Application/JSON; charset=UTF-8"), 202)


class GatewayResponseVariables(GapTest):
    gap = "gateway_response_variables"

    def test_further_variables_are_substituted(self) -> None:
        def probe(server: Server) -> str:
            client = server.client("apigateway")
            api = client.create_rest_api(name="variables")["id"]
            template = '{"at":"$context.path","by":"${context.httpMethod}","v":"$stageVariables.greeting","x":"$context.nothing"}'
            client.put_gateway_response(
                restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", responseTemplates={"application/json": template}
            )
            root = client.get_resources(restApiId=api)["items"][0]["id"]
            Server._resource(client, api, root, "a", mock("{}", []))
            client.create_deployment(restApiId=api, stageName="test", variables={"greeting": "hello"})
            return server.call(api, "GET", "/no/where").text

        self.expect(probe, '{"at":"/test/no/where","by":"GET","v":"hello","x":""}')


class RequestTooLarge(GapTest):
    gap = "request_too_large"
    LIMIT = 10_485_760

    def _api(self, server: Server) -> str:
        return server.api({"mock": mock('{"statusCode":200}', [{"statusCode": "200"}])})

    def test_curl_sees_413(self) -> None:
        def probe(server: Server) -> tuple:
            url = f"{server.endpoint}/_aws/execute-api/{self._api(server)}/test/mock"
            command = ["curl", "--silent", "--noproxy", "*", "--max-time", "20", "--data-binary", "@-", "--write-out", "%{http_code}", url]
            done = subprocess.run(command, input=b"x" * (self.LIMIT + 1), capture_output=True, check=False)
            return done.returncode, done.stdout

        self.expect(probe, (0, b'{"message":"Request Too Long"}413'))

    def test_a_body_at_the_limit_passes(self) -> None:
        self.hold(lambda server: server.call(self._api(server), "POST", "/mock", b"x" * self.LIMIT).status, 200)


class SqsBatchPermissions(GapTest):
    gap = "sqs_batch_permissions"

    def test_the_permission_for_one_message_is_that_for_a_batch(self) -> None:
        def probe(server: Server) -> str:
            url = server.client("sqs").create_queue(QueueName=fresh("queue"))["QueueUrl"]
            user = server.client_of_user("sqs", "sqs:SendMessage")
            try:
                user.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "one"}])
            except botocore.exceptions.ClientError as error:
                return error.response["Error"]["Code"]
            return "sent"

        self.expect(probe, "sent")


class RoleSessionPrincipal(GapTest):
    gap = "role_session_principal"

    def test_the_policy_of_a_topic_matches_the_role_of_its_caller(self) -> None:
        def probe(server: Server) -> list[str]:
            topic = server.client("sns").create_topic(Name=fresh("topic"))["TopicArn"]
            (named, role), (other, _) = (server.client_of_role("sns", "sns:Publish") for _ in range(2))
            others = {
                "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic,
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": role}},
            }  # fmt: skip
            policy = json.dumps({"Version": "2012-10-17", "Statement": [others]})
            server.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
            return [self._published(client, topic) for client in (named, other)]

        self.expect(probe, ["published", "AuthorizationError"])

    @staticmethod
    def _published(client: Any, topic: str) -> str:
        try:
            client.publish(TopicArn=topic, Message="hello")
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return "published"


class WebSocketStageVariables(GapTest):
    gap = "websocket_stage_variables"

    def test_stage_variables_reach_every_route(self) -> None:
        def probe(server: Server) -> dict:
            with tempfile.NamedTemporaryFile("r") as events:
                handler = f'open({events.name!r}, "a").write(json.dumps(event) + "\\n"); return {{"statusCode": 200}}'
                function = server.function(fresh("socket"), handler)
                server.websocket(websocket_api(server, function), "{}")
                lines = eventually(lambda: events.seek(0) or events.readlines(), lambda found: len(found) == 3)
            seen = map(json.loads, lines)
            return {event["requestContext"]["routeKey"]: event["stageVariables"] for event in seen}

        self.expect(probe, dict.fromkeys(("$connect", "$default", "$disconnect"), {"greeting": "hello"}))


class WebSocketSubprotocol(GapTest):
    gap = "websocket_subprotocol"

    def test_the_subprotocol_of_the_connect_integration_is_answered(self) -> None:
        def probe(server: Server) -> list[str]:
            handler = 'return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "v1"}}'
            answered = server.websocket(websocket_api(server, server.function(fresh("socket"), handler)), offer="v1, v2")
            lines = answered.decode().lower().split("\r\n")
            return [line for line in lines if line.startswith("sec-websocket-protocol:")]

        self.expect(probe, ["sec-websocket-protocol: v1"])


class SnsTopicAttributes(GapTest):
    gap = "sns_topic_attributes"

    @staticmethod
    def _topic(server: Server, properties: dict) -> str:
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}},
            "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}},
        }
        return server.deploy(template, fresh("topic"))["Arn"]

    def test_the_topic_of_a_stack_has_its_key_and_its_tracing(self) -> None:
        def probe(server: Server) -> tuple:
            topic = self._topic(server, {"KmsMasterKeyId": "alias/aws/sns", "TracingConfig": "Active"})
            attributes = server.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
            return attributes.get("KmsMasterKeyId"), attributes.get("TracingConfig")

        self.expect(probe, ("alias/aws/sns", "Active"))

    def test_the_fifo_topic_of_a_stack_deduplicates(self) -> None:
        def probe(server: Server) -> list[str]:
            name = f"{fresh('topic')}.fifo"
            topic = self._topic(server, {"TopicName": name, "FifoTopic": True, "ContentBasedDeduplication": True})
            url, queue = server.queue(name, FifoQueue="true")
            server.open_to_topic(url, queue, topic)
            server.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
            for message in ("one", "one", "two"):
                server.client("sns").publish(TopicArn=topic, Message=message, MessageGroupId="g")
            return [server.receive(url)["Body"], server.receive(url)["Body"]]

        self.expect(probe, ["one", "two"])


class SnsUndelivered(GapTest):
    gap = "sns_undelivered"

    @staticmethod
    def _left_over(server: Server, endpoint: str, protocol: str, *, is_raw: bool = True, is_open: bool = True) -> str:
        """Body of the one message that is in the subscription's dead-letter queue."""
        client, topic = server.client("sns"), server.client("sns").create_topic(Name=fresh("topic"))["TopicArn"]
        url, dead_letters = server.queue(fresh("dead-letters"))
        if is_open:
            server.open_to_topic(url, dead_letters, topic)
        attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_letters})}
        if is_raw:
            attributes["RawMessageDelivery"] = "true"
        client.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
        client.publish(TopicArn=topic, Message="lost?")
        return server.receive(url)["Body"]

    def test_a_message_for_a_queue_that_does_not_permit_it(self) -> None:
        self.expect(lambda server: self._left_over(server, server.queue(fresh("closed"))[1], "sqs"), "lost?")

    def test_a_message_for_a_queue_that_is_gone(self) -> None:
        def probe(server: Server) -> str:
            url, queue = server.queue(fresh("gone"))
            server.client("sqs").delete_queue(QueueUrl=url)
            return self._left_over(server, queue, "sqs")

        self.expect(probe, "lost?")

    def test_a_message_for_a_function_that_is_gone(self) -> None:
        def probe(server: Server) -> tuple:
            gone = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{fresh('gone')}"
            envelope = json.loads(self._left_over(server, gone, "lambda", is_raw=False))
            return envelope["Type"], envelope["Message"]

        self.expect(probe, ("Notification", "lost?"))

    def test_a_dead_letter_queue_that_does_not_permit_it_gets_nothing(self) -> None:
        def probe(server: Server) -> str:
            try:
                return self._left_over(server, server.queue(fresh("closed"))[1], "sqs", is_open=False)
            except KeyError:
                return "nothing"

        self.hold(probe, "nothing")


class SnsFunctionRetries(GapTest):
    gap = "sns_function_retries"

    def test_a_function_that_fails_is_invoked_again_and_its_event_goes_to_the_failure_destination(self) -> None:
        def probe(server: Server) -> tuple:
            client, name = server.client("sns"), fresh("failing")
            with tempfile.NamedTemporaryFile("r") as calls:
                function = server.function(name, f'open({calls.name!r}, "a").write("called\\n"); raise ValueError("no")')
                url, queue = server.queue(fresh("failures"))
                destination = {"OnFailure": {"Destination": queue}}
                server.client("lambda").put_function_event_invoke_config(
                    FunctionName=name, MaximumRetryAttempts=1, DestinationConfig=destination
                )
                topic = client.create_topic(Name=fresh("topic"))["TopicArn"]
                client.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
                client.publish(TopicArn=topic, Message="hello")
                failure = json.loads(eventually(lambda: self._message(server, url), bool))
                return len(calls.readlines()), failure["requestPayload"]["Records"][0]["Sns"]["Message"]

        self.expect(probe, (2, "hello"))

    @staticmethod
    def _message(server: Server, url: str) -> str:
        messages = server.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        return messages[0]["Body"] if messages else ""


def websocket_api(server: Server, function: str) -> str:
    """Id of a WebSocket API with one function behind its three routes."""
    api = {"ApiId": {"Ref": "Api"}}
    target = {"Target": {"Fn::Sub": "integrations/${Integration}"}}
    resources = {
        "Api": ("Api", {"Name": "socket", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}),
        "Integration": ("Integration", {
            **api, "IntegrationType": "AWS_PROXY", "IntegrationUri": proxy(function)["uri"]}),
        "Connect": ("Route", {**api, **target, "RouteKey": "$connect"}),
        "Default": ("Route", {**api, **target, "RouteKey": "$default"}),
        "Disconnect": ("Route", {**api, **target, "RouteKey": "$disconnect"}),
        "Stage": ("Stage", {**api, "StageName": "test", "AutoDeploy": True, "StageVariables": {"greeting": "hello"}}),
    }  # fmt: skip
    return server.deploy({
        "Resources": {
            name: {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}
            for name, (kind, properties) in resources.items()
        },
        "Outputs": {"Id": {"Value": {"Ref": "Api"}}},
    }, fresh("socket"))["Id"]  # fmt: skip
