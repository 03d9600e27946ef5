//! The emulators' known differences, as in docs/emulators.md.

use lanes::{Invoker, LANES, Lane};

pub(crate) struct Found {
    pub(crate) field: String,
    pub(crate) ministack: String,
    pub(crate) localstack: String,
}

pub(crate) struct Difference {
    /// In docs/emulators.md.
    pub(crate) id: &'static str,
    /// What is handled differently.
    pub(crate) what: &'static str,
    /// Names of the cases in which it occurs. One `*` stands for any text, `{lane}` at the beginning for each lane, and
    /// `{function}` for each lane with a function that takes its requests.
    pub(crate) cases: &'static [&'static str],
    /// Fields that differ in these cases.
    pub(crate) fields: &'static [Field],
    /// Consequences: where one of `fields` occurs, they may have any value.
    pub(crate) with_it: &'static [&'static str],
    /// What AWS documents, and where.
    pub(crate) aws: &'static str,
    pub(crate) source: &'static str,
    pub(crate) right: Right,
    /// What this project did about it.
    pub(crate) done: &'static str,
}

/// A field, its value on MiniStack and on LocalStack. Values may contain `*`, as in the names of cases.
pub(crate) struct Field(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

/// Does what AWS documents.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right {
    MiniStack,
    LocalStack,
    Undocumented,
}

impl Difference {
    /// Removes a case's differences that this declares, and returns the parts of this that occurred.
    pub(crate) fn take(&self, case: &str, found: &mut Vec<Found>) -> Vec<String> {
        let Some(pattern) = self.patterns().find(|pattern| matches(pattern, case)) else { return Vec::new() };
        let mut shown: Vec<_> = found.iter().filter_map(|found| self.field_of(found)).map(part_of_field).collect();
        if shown.is_empty() {
            return shown;
        }
        found.retain(|found| self.field_of(found).is_none() && !self.comes_with_it(found));
        shown.push(part_of_case(&pattern));
        shown
    }

    fn field_of(&self, found: &Found) -> Option<&Field> {
        let is_it = |Field(name, ministack, localstack): &&Field| {
            *name == found.field && matches(ministack, &found.ministack) && matches(localstack, &found.localstack)
        };
        self.fields.iter().find(is_it)
    }

    fn comes_with_it(&self, found: &Found) -> bool {
        self.with_it.iter().any(|pattern| matches(pattern, &found.field))
    }

    /// All parts. Each must occur.
    pub(crate) fn parts(&self) -> impl Iterator<Item = String> {
        let cases = self.patterns().map(|case| part_of_case(&case));
        cases.chain(self.fields.iter().map(part_of_field))
    }

    /// Of `cases`, one for each lane.
    fn patterns(&self) -> impl Iterator<Item = String> {
        let functions = |lane: &Lane| lane.functions.iter().any(|function| function.invoked_by == Invoker::Request);
        self.cases.iter().flat_map(move |case| match case.split_once('}') {
            Some(("{lane", rest)) => LANES.iter().map(|lane| format!("{}{rest}", lane.name)).collect(),
            Some(("{function", rest)) => {
                LANES.iter().filter(functions).map(|lane| format!("{}{rest}", lane.name)).collect()
            }
            _ => vec![(*case).to_owned()],
        })
    }
}

fn part_of_case(pattern: &str) -> String {
    format!("the case {pattern}")
}

fn part_of_field(Field(name, ministack, localstack): &Field) -> String {
    format!("the field {name}: {ministack} on MiniStack, {localstack} on LocalStack")
}

/// Whether the text matches the pattern, in which one `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
        None => text == pattern,
    }
}

impl std::fmt::Display for Right {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Self::MiniStack => "MiniStack",
            Self::LocalStack => "LocalStack",
            Self::Undocumented => "not documented",
        })
    }
}

/// The whole answer differs.
const ANSWER: &[&str] = &["body/*", "header *"];

/// The answer and the record differ, or the message is missing.
const ANSWER_RECORD_OR_MESSAGE: &[&str] =
    &["body/*", "header *", "stored/*", "attribute *", "body", "body is as it was sent"];

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        id: "methods-that-any-leaves-out",
        what: "TRACE, and methods that HTTP itself does not define",
        cases: &["TRACE *", "PROPFIND *"],
        fields: &[Field("status", "405", "404"), Field("status", "401", "404")],
        with_it: ANSWER,
        aws: "ANY stands for the methods that API Gateway supports: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html",
        right: Right::LocalStack,
        done: "nothing: API Gateway cannot be configured for other methods. It answers them like an unknown path: by the \
               template's 404 with a problem",
    },
    Difference {
        id: "paths-spelt-otherwise",
        what: "an encoded letter or slash, or an empty segment, in the fixed part of a path",
        cases: &[
            "GET \"%73ync*",
            "PUT \"%73ync*",
            "GET \"sync%2F*",
            "PUT \"sync%2F*",
            "GET \"sync//*",
            "PUT \"sync//*",
        ],
        fields: &[Field("status", "405", "404"), Field("status", "401", "404"), Field("status", "201", "404")],
        with_it: ANSWER_RECORD_OR_MESSAGE,
        aws: "does not say how paths are compared with resources",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html",
        right: Right::Undocumented,
        done: "nothing: either way it is a 404, or the same method with the same authorizer and validation",
    },
    Difference {
        id: "path-parameters",
        what: "a path that ends in `;v=1`",
        cases: &["PUT \"sync/orders/{id};v=1\""],
        fields: &[Field("status", "400", "201")],
        with_it: ANSWER_RECORD_OR_MESSAGE,
        aws: "does not say; by RFC 3986 it is a part of the segment, and so of the order id",
        source: "https://www.rfc-editor.org/rfc/rfc3986#section-3.3",
        right: Right::MiniStack,
        done: "nothing: if it is cut off, answer and table have the order under the remaining id",
    },
    Difference {
        id: "two-content-types",
        what: "two headers `Content-Type`, the second `text/plain`",
        cases: &["{lane}, two media types", "in the queue: async, two media types"],
        fields: &[
            Field("status", "415", "201"),
            Field("status", "415", "202"),
            Field("body is as it was sent", "nothing", "true"),
        ],
        with_it: ANSWER_RECORD_OR_MESSAGE,
        aws: "does not say which one counts; HTTP allows only one",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-8.3",
        right: Right::Undocumented,
        done: "nothing: in both cases the body is refused or validated as JSON",
    },
    Difference {
        id: "whole-fractions",
        what: "a quantity of `2.0` or `2e0`",
        cases: &[
            "async, body: a whole fraction*",
            "async, body in an unknown currency: a whole fraction*",
            "in the queue: async, body: a whole fraction*",
            "in the queue: async, body in an unknown currency: a whole fraction*",
        ],
        fields: &[Field("status", "400", "202"), Field("body is as it was sent", "nothing", "true")],
        with_it: ANSWER_RECORD_OR_MESSAGE,
        aws: "models are JSON Schema draft 4, where an integer has no fraction and no exponent; later drafts allow both",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html",
        right: Right::MiniStack,
        done: "nothing: the worker rejects what the edge accepts, and the record says REJECTED",
    },
    Difference {
        id: "bytes-that-are-not-text",
        what: "bytes in a note that are not UTF-8, in the event that a function gets",
        cases: &[
            "{function}, body: Latin-1",
            "{function}, body: a surrogate in UTF-8",
            "{function}, body: an overlong encoding",
            "{function}, body: cut UTF-8",
            "{function}, body: invalid UTF-8",
        ],
        fields: &[Field("body/errors/0/detail", "must be*", "the body must be JSON*")],
        with_it: ANSWER,
        aws: "does not say",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html",
        right: Right::Undocumented,
        done: "nothing: replaced by U+FFFD or not, create-order and publish-order refuse them (0006)",
    },
    Difference {
        id: "path-parameters-are-decoded",
        what: "an order id with percent signs in the path",
        cases: &[
            "async/orders, the * %EF%BF%BE",
            "async/orders, the *%00",
            "in the queue: async/orders, the id *",
            "in the queue: async/orders, the malformed id *",
            "async/orders, the id with an encoded hyphen*",
            "sync/orders, the id with an encoded hyphen*",
            "orders, the id with an encoded hyphen*",
        ],
        fields: &[
            Field("status", "400", "202"),
            Field("status", "201", "400"),
            Field("status", "200", "400"),
            Field("attribute orderId", "String: *", "String: *"),
            Field("attribute orderId", "nothing", "String: *"),
            Field("header location", "../../orders/*", "nothing"),
        ],
        with_it: ANSWER_RECORD_OR_MESSAGE,
        aws: "does not say; users report that it is not decoded",
        source: "https://github.com/serverless/serverless/issues/5037",
        right: Right::LocalStack,
        done: "nothing: a UUID needs no encoding, and both lanes refuse other ids, decoded or not. MiniStack's queue refuses \
               decoded U+0000 and U+FFFE. AWS documents that SQS replaces them by U+FFFD",
    },
    Difference {
        id: "two-origins",
        what: "two headers `Origin`, the first one on the list",
        cases: &["preflight to *, of two origins"],
        fields: &[Field("header access-control-allow-origin", "nothing", "http://localhost:3000")],
        with_it: &["header *"],
        aws: "does not say which value `$input.params` returns; browsers send one",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html",
        right: Right::Undocumented,
        done: "nothing: the answer allows only origins of the list",
    },
];
