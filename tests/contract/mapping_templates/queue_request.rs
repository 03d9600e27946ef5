//! API Gateway's requests to the queue: each text of a caller stays one value, byte for byte.

use super::{
    definition::queue,
    form::{Field, fields},
    renderer::{Rendering, parameters},
};
use crate::rest_schemas;
use orders_api::{
    MAX_BODY_BYTES, MESSAGE_GROUP_CONTEXT, OWNER_CONTEXT,
    queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use testkit::{
    hostile_bodies::{self, Case},
    hostile_values::{
        SUBJECTS, TRACE, UNLISTED_ORIGINS, malformed_order_ids, order_ids_that_are_not_text, trace_headers,
    },
    order_bodies::{new_id, order_of},
};

const TIME: &str = "1764111600123";
const GROUP: &str = "2a84f53453d5444e07adcb22f296659b";

#[derive(Clone, Debug)]
struct Request {
    body: String,
    order_id: String,
    owner: String,
    /// Absent in an answer of the authorizer cached before an update of the stack.
    group: Option<&'static str>,
    /// The header's name in the caller's spelling, and its value.
    trace: Option<(&'static str, String)>,
    time: Value,
}

fn request() -> Request {
    Request {
        body: order_of("SKU-1").to_string(),
        order_id: new_id(),
        owner: "demo".to_owned(),
        group: Some(GROUP),
        trace: None,
        time: TIME.into(),
    }
}

impl Request {
    fn rendering<'a>(&'a self, template: &'a str) -> Rendering<'a> {
        let mut rendering = Rendering {
            template,
            body: &self.body,
            path: parameters([("orderId", &self.order_id)]),
            context: json!({"authorizer": self.authorizer(), "requestTimeEpoch": self.time}),
            ..Rendering::default()
        };
        rendering.header.extend(self.trace.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        rendering
    }

    fn authorizer(&self) -> Value {
        let mut context = json!({OWNER_CONTEXT: self.owner});
        if let Some(group) = self.group {
            context[MESSAGE_GROUP_CONTEXT] = group.into();
        }
        context
    }

    /// The queue's form: every field once, in order. It omits a body that is too large, so SQS refuses it.
    fn form(&self, trace: Option<&str>) -> Vec<Field> {
        let mut form = vec![("Action".to_owned(), "SendMessage")];
        if self.body.len() <= MAX_BODY_BYTES {
            form.push(("MessageBody".to_owned(), &self.body));
        }
        if let Some(group) = self.group {
            form.push(("MessageGroupId".to_owned(), group));
        }
        let mut attribute = |kind: &str, number: u8, name, value| {
            let prefix = format!("{kind}.{number}");
            form.extend([
                (format!("{prefix}.Name"), name),
                (format!("{prefix}.Value.DataType"), "String"),
                (format!("{prefix}.Value.StringValue"), value),
            ]);
        };
        attribute("MessageAttribute", 1, ORDER_ID_ATTRIBUTE, &self.order_id);
        attribute("MessageAttribute", 2, OWNER_ATTRIBUTE, &self.owner);
        attribute("MessageAttribute", 3, REQUEST_TIME_ATTRIBUTE, TIME);
        if let Some(trace) = trace {
            attribute("MessageSystemAttribute", 1, "AWSTraceHeader", trace);
        }
        form.into_iter().map(|(name, value)| (name.into_bytes(), value.as_bytes().to_vec())).collect()
    }

    /// Fails unless the queue gets exactly these texts.
    fn check(&self, name: &str, trace: Option<&str>) {
        let rendered = self.rendering(template()).render();
        same_form(name, &rendered.text, &self.form(trace));
    }
}

fn template() -> &'static str {
    queue().definition["requestTemplates"]["application/json"].as_str().unwrap()
}

/// `assert_eq!` would print bodies of megabytes.
fn same_form(name: &str, form: &str, expected: &[Field]) {
    let found = fields(form).unwrap_or_else(|error| panic!("{name}: {error:.500}"));
    let names = |fields: &[Field]| {
        fields.iter().map(|field| String::from_utf8_lossy(&field.0).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&found), names(expected), "{name}: fields that the queue gets (left), expected fields (right)");
    for ((field, found), (_, expected)) in found.iter().zip(expected) {
        let [field, start, wanted] =
            [field, found, expected].map(|bytes| &bytes[..bytes.len().min(200)]).map(String::from_utf8_lossy);
        assert!(found == expected, "{name}: {field} is {start} instead of {wanted}");
    }
}

#[test]
fn every_hostile_body_reaches_the_queue_byte_for_byte_and_as_one_value() {
    let mut checked = 0;
    for Case { name, body, .. } in hostile_bodies::all() {
        if let Ok(body) = String::from_utf8(body) {
            Request { body, ..request() }.check(name, None);
            checked += 1;
        }
    }
    assert!(checked > 50, "the corpus has {checked} bodies");
}

/// A template renders text. AWS does not document whether API Gateway refuses or replaces other bytes.
#[test]
fn the_model_refuses_a_body_that_is_not_text_before_it_is_rendered() {
    let mut checked = 0;
    for Case { name, body, .. } in hostile_bodies::all().into_iter().filter(|case| str::from_utf8(&case.body).is_err())
    {
        let replaced = serde_json::from_str::<Value>(&String::from_utf8_lossy(&body));
        assert!(replaced.is_err() || !rest_schemas::validator().is_valid(&replaced.unwrap()), "{name}");
        checked += 1;
    }
    assert!(checked > 4, "the corpus has {checked} bodies that are not text");
}

#[test]
fn a_hostile_order_id_is_one_value() {
    let id = new_id();
    let written = malformed_order_ids(&id).into_iter().chain(order_ids_that_are_not_text(&id));

    for written in written.chain(UNLISTED_ORIGINS.map(String::from)).chain(SUBJECTS.map(String::from)) {
        // As written or decoded.
        for order_id in [percent_decoded(&written), written.clone()] {
            Request { order_id, ..request() }.check(&format!("order id {written:.100}"), None);
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        match piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => bytes.extend([&[byte], &piece.as_bytes()[2..]].concat()),
            None => bytes.extend([b"%", piece.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_hostile_subject_is_one_value() {
    for owner in SUBJECTS {
        Request { owner: owner.to_owned(), ..request() }.check(owner, None);
    }
}

#[test]
fn a_message_without_a_group_is_sent() {
    Request { group: None, ..request() }.check("no group", None);
}

/// `$input.params` finds a header only in the caller's spelling. HTTP/2 has only lower case.
const TRACE_HEADERS: [&str; 2] = ["X-Amzn-Trace-Id", "x-amzn-trace-id"];

#[test]
fn a_malformed_trace_header_is_omitted() {
    for header in trace_headers() {
        for name in TRACE_HEADERS {
            Request { trace: Some((name, header.clone())), ..request() }.check(&header, None);
        }
    }
}

/// Of bytes, as in the sync lane, not characters.
#[test]
fn a_body_that_is_too_large_does_not_reach_the_queue() {
    for character in ["x", " ", "%", "~", "é", "漢", "😀"] {
        let fitting = character.repeat(MAX_BODY_BYTES / character.len());
        let fitting = format!("{fitting}{}", "x".repeat(MAX_BODY_BYTES - fitting.len()));
        for body in [fitting.clone(), format!("{fitting}x"), format!("{fitting}{character}")] {
            Request { body, ..request() }.check(&format!("many {character:?}"), None);
        }
    }
}

#[test]
fn a_trace_header_is_passed_on() {
    // Source of the others: AWS X-Ray Developer Guide, "Tracing header".
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let lineage = format!("{root};Lineage=a87bd80c:0");

    for header in [TRACE, root, &format!("{root};Self=1-67891234-12456789abcdef012345678"), &lineage] {
        for name in TRACE_HEADERS {
            Request { trace: Some((name, header.to_owned())), ..request() }.check(header, Some(header));
        }
    }
}

#[test]
fn headers_and_queries_with_the_names_of_fields_change_nothing() {
    let request = request();
    let mut rendering = request.rendering(template());
    let names = ["orderId", "owner", "requestTimeEpoch", "body", "MessageBody", "MessageAttribute.2.Value.StringValue"];
    rendering.querystring = parameters(names.map(|name| (name, "mallory&DelaySeconds=900")));
    rendering.header = parameters(names.map(|name| (name, "mallory&DelaySeconds=900")));

    same_form("headers and queries", &rendering.render().text, &request.form(None));
}

/// AWS does not document which of the two it is.
#[test]
fn the_time_of_a_request_may_be_a_number_or_text() {
    for time in [json!(TIME), json!(TIME.parse::<u64>().unwrap())] {
        Request { time: time.clone(), ..request() }.check(&time.to_string(), None);
    }
}

/// Special in Velocity, forms, JSON or lines.
const TOKENS: [&str; 20] = [
    "$",
    "${",
    "$!{x}",
    "#",
    "##",
    "#*",
    "#[[",
    "#if(",
    "#end",
    "#set($context = 1)",
    "$input.body",
    "\\",
    "&DelaySeconds=900",
    "=",
    "%",
    "%26",
    "+",
    "\"'",
    "\r\n\0",
    "\u{2028}\u{FEFF}\u{FFFD}\u{FFFF}",
];

/// Any characters, mixed with these tokens.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![select(TOKENS.as_slice()).prop_map(String::from), any::<String>()];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_one_value(body in text(), order_id in text(), owner in text(), trace in text()) {
        let is_trace = trace == TRACE;
        let request = Request { body, order_id, owner, trace: Some((TRACE_HEADERS[0], trace.clone())), ..request() };
        request.check("any text", is_trace.then_some(trace.as_str()));
    }
}
