//! API Gateway's own answers: for the queue, to other methods, and to refused requests.

use super::{
    definition::{answer_template, gateway_responses, integrations, queue},
    renderer::{Override, Rendered, Rendering, parameters},
};
use orders_api::{Problem, QueuedView};
use reqwest::Url;
use serde_json::{Value, json};
use testkit::hostile_values::{INSTRUCTIONS, malformed_order_ids, order_ids_that_are_not_text};

const REQUEST_ID: &str = "4f6b1d5e-0b1a-4f0e-8f59-2f8a5d1c9b7e";

fn render(template: &str, body: &Value, context: Value) -> Rendered {
    let stage_variables = parameters([("corsAllowedOrigins", "none")]);
    Rendering { template, body: &body.to_string(), context, stage_variables, ..Rendering::default() }.render()
}

/// The API's answer to an answer of the queue.
#[derive(Debug, PartialEq)]
struct Answered {
    status: u16,
    retry_after: Option<String>,
    text: String,
}

fn answered(status: u16, body: &Value) -> Answered {
    // A pattern must match the whole status.
    let pattern = match status {
        200 => "200",
        400..500 => r"4\d{2}",
        _ => "default",
    };
    let response = &queue().definition["responses"][pattern];
    let Rendered { text, response_override } =
        render(answer_template(response), body, json!({"requestId": REQUEST_ID}));
    let mapped = response["responseParameters"]["method.response.header.Retry-After"].as_str();
    Answered {
        status: response_override.status.unwrap_or_else(|| response["statusCode"].as_str().unwrap().parse().unwrap()),
        retry_after: response_override.header.get("Retry-After").map(String::as_str).or(mapped).map(str::to_owned),
        text,
    }
}

fn error(code: &str, message: &str) -> Value {
    json!({"Error": {"Type": "Sender", "Code": code, "Message": message}, "RequestId": "sqs"})
}

#[test]
fn an_accepted_order_is_answered_with_its_message_id() {
    let id = "5fea7756-0ea4-451a-a703-a558b933e274";
    let answer = answered(200, &json!({"SendMessageResponse": {"SendMessageResult": {"MessageId": id}}}));

    let view: QueuedView = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((answer.status, view.status.as_str(), view.message_id.as_str()), (202, "QUEUED", id));
}

/// Relative, as in the sync lane, so it works with the caller's domain and stage.
#[test]
fn an_accepted_order_is_answered_with_the_location_of_its_status() {
    let (id, response) = ("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b", &queue().definition["responses"]["200"]);
    let location = |order_id: &str| {
        let body = json!({"SendMessageResponse": {"SendMessageResult": {"MessageId": "m"}}}).to_string();
        let rendering = Rendering {
            template: answer_template(response),
            body: &body,
            path: parameters([("orderId", order_id)]),
            stage_variables: parameters([("corsAllowedOrigins", "none")]),
            ..Rendering::default()
        };
        rendering.render().response_override.header.remove("Location")
    };

    for given in [id.to_owned(), id.to_uppercase()] {
        assert_eq!(location(&given), Some(format!("../../orders/{id}")), "{given}");
    }
    for api in ["https://api.example.com", "https://abcdefghij.execute-api.eu-west-1.amazonaws.com/live"] {
        let request = Url::parse(&format!("{api}/async/orders/{id}")).unwrap();
        let status = request.join(&location(id).unwrap()).unwrap();
        assert_eq!(status.as_str(), format!("{api}/orders/{id}"));
    }
    let malformed = malformed_order_ids(id).into_iter().chain(order_ids_that_are_not_text(id));
    for given in malformed.chain(INSTRUCTIONS.map(String::from)).chain([String::new(), format!("{id}\n")]) {
        assert_eq!(location(&given), None, "{given:.100}");
    }
}

#[test]
fn an_order_that_the_queue_refuses_is_answered_with_a_problem_and_the_reason() {
    // Codes and messages. Source: Amazon SQS API Reference, "Common errors" and "SendMessage".
    let too_long = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.";
    let cases = [
        (400, error("InvalidMessageContents", "Invalid characters found."), 400, "character that the queue cannot"),
        (400, error("InvalidParameterValue", too_long), 413, "at most 1023 KiB"),
        (
            400,
            error("MissingParameter", "The request must contain the parameter MessageBody."),
            413,
            "at most 1023 KiB",
        ),
        (
            400,
            error("MissingRequiredParameterException", "The request must contain the parameter MessageBody."),
            413,
            "at most 1023 KiB",
        ),
        (400, error("MissingParameter", "The request must contain the parameter QueueUrl."), 500, "request id"),
        (
            400,
            error("MissingRequiredParameterException", "The request must contain the parameter QueueUrl."),
            500,
            "request id",
        ),
        (400, json!({"Error": {"Code": "MissingParameter"}}), 500, "request id"),
        (400, error("InvalidParameterValue", "Invalid characters in an attribute."), 400, "order id"),
        (400, error("RequestThrottled", "Rate exceeded"), 503, "Repeat"),
        (400, error("ThrottlingException", "Rate exceeded"), 503, "Repeat"),
        (403, error("AccessDenied", "User: arn:… is not authorized to perform: sqs:sendmessage"), 500, "request id"),
        (403, error("KMS.AccessDeniedException", "…"), 500, "request id"),
        (400, error("AWS.SimpleQueueService.NonExistentQueue", "…"), 500, "request id"),
        (400, json!({"Error": {"Code": "InvalidParameterValue"}}), 400, "order id"),
        (400, json!({}), 500, "request id"),
        (500, error("InternalFailure", "…"), 503, "Repeat"),
        (503, error("ServiceUnavailable", "…"), 503, "Repeat"),
    ];

    for (status, body, expected, detail) in cases {
        let answer = answered(status, &body);
        let problem = problem(&body.to_string(), &answer.text);
        assert_eq!((answer.status, problem.status), (expected, Some(expected)), "{body}: header (left), body (right)");
        assert!(problem.detail.contains(detail), "{body}: {}", problem.detail);
        let after = answer.retry_after.as_deref().map(|seconds| seconds.trim_matches('\''));
        assert_eq!(after, (expected == 503).then_some("1"), "{body}: Retry-After");
    }
}

/// Asserts a problem with the request's id, and returns it.
fn problem(name: &str, text: &str) -> Problem {
    let problem: Result<Problem, _> = serde_json::from_str(text);
    let problem = problem.unwrap_or_else(|error| panic!("{name}: the answer is not a problem ({error}): {text}"));
    assert_eq!(problem.request_id.as_deref(), Some(REQUEST_ID), "{name}");
    problem
}

#[test]
fn texts_of_the_queues_errors_are_never_repeated() {
    for hostile in INSTRUCTIONS.into_iter().chain(["\",\"status\":200,\"x\":\"", "arn:aws:sqs:::orders"]) {
        for code in ["AccessDenied", "InvalidParameterValue", "InvalidMessageContents", hostile] {
            assert_eq!(answered(400, &error(code, hostile)), answered(400, &error(code, "…")), "{code}: {hostile}");
        }
    }
}

#[test]
fn a_mock_integration_selects_its_answer_for_every_media_type() {
    for mock in integrations("mock") {
        let place = format!("{} {}", mock.method, mock.path);
        let response = &mock.definition["responses"]["default"];
        for (media_type, template) in mock.definition["requestTemplates"].as_object().unwrap() {
            let rendered = render(template.as_str().unwrap(), &json!({}), json!({}));
            let asked: Value = serde_json::from_str(&rendered.text).unwrap();
            assert_eq!(
                asked["statusCode"].to_string(),
                response["statusCode"].as_str().unwrap(),
                "{place} {media_type}"
            );
        }
    }
}

#[test]
fn another_method_is_answered_with_a_problem() {
    for mock in integrations("mock").filter(|mock| mock.method != "options") {
        let rendered = render(
            answer_template(&mock.definition["responses"]["default"]),
            &json!({"statusCode": 405}),
            json!({"requestId": REQUEST_ID}),
        );
        assert_eq!(problem(mock.path, &rendered.text).status, Some(405), "{}", mock.path);
    }
}

/// Gateway responses support only variables of Velocity. Source: Amazon API Gateway Developer Guide,
/// "x-amazon-apigateway-gateway-responses.responseTemplates object".
#[test]
fn every_gateway_response_is_a_problem_for_every_message() {
    for (name, response) in gateway_responses() {
        let template = answer_template(response);
        assert!(!template.contains('#'), "{name}: no directives: {template}");
        for message in INSTRUCTIONS.into_iter().chain(["Missing required request parameters: [\"x\\y\"]"]) {
            // AWS: messageString is the message with quotes, validationErrorString the escaped message without quotes.
            let quoted = json!(message).to_string();
            let error = json!({
                "message": message, "messageString": quoted, "validationErrorString": quoted[1..quoted.len() - 1],
            });
            let rendered = render(template, &json!({}), json!({"requestId": REQUEST_ID, "error": error}));
            let problem = problem(name, &rendered.text);
            if template.contains("messageString") {
                assert_eq!(problem.detail, message, "{name}");
            }
            let listed: Vec<_> = problem.errors.iter().map(|error| (&*error.pointer, &*error.detail)).collect();
            let expected = (name == "BAD_REQUEST_BODY").then_some(("", message));
            assert_eq!(listed, expected.into_iter().collect::<Vec<_>>(), "{name}");
            assert_eq!(rendered.response_override, Override::default(), "{name}");
        }
    }
}
