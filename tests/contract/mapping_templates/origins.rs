//! Which pages of other origins may read API Gateway's own answers.

use super::{
    definition::{Integration, answer_template, integrations, queue},
    renderer::{Rendered, Rendering, parameters},
};
use serde_json::{Value, json};
use testkit::hostile_values::{INSTRUCTIONS, LISTED_ORIGIN, UNLISTED_ORIGINS, VELOCITY_ORIGINS};

const LISTS: [&str; 4] = [
    "none",
    LISTED_ORIGIN,
    "https://shop.example.com,http://localhost:3000",
    "http://localhost:3000,https://a.example",
];

/// Taken by every template here: the queue's answer to an accepted message.
fn taken() -> Value {
    json!({"SendMessageResponse": {"SendMessageResult": {"MessageId": "m"}}})
}

/// To a page of that origin. `list` is the stage's allow-list, and `name` the header's spelling.
fn answered(template: &str, list: &str, name: &str, origin: Option<&str>) -> Rendered {
    let mut rendering = Rendering {
        template,
        body: &taken().to_string(),
        context: json!({"requestId": "r"}),
        stage_variables: parameters([("corsAllowedOrigins", list)]),
        ..Rendering::default()
    };
    rendering.header.extend(origin.map(|origin| (name.to_owned(), origin.to_owned())));
    rendering.render()
}

/// Of all answers to pages, with the methods that a preflight allows.
fn templates() -> Vec<(String, &'static str, Option<String>)> {
    let preflights = integrations("mock").filter(|mock| mock.method == "options");
    let answers = preflights.chain([queue()]).flat_map(|Integration { path, method, definition }| {
        let responses = definition["responses"].as_object().unwrap().iter();
        responses.map(move |(pattern, response)| {
            let allows = (method == "options").then(|| methods_of(path));
            (format!("{method} {path} {pattern}"), answer_template(response), allows)
        })
    });
    answers.collect()
}

/// Methods that a page may be allowed to use.
fn methods_of(path: &str) -> String {
    let start = path.split('{').next().unwrap();
    match start {
        "/orders" | "/orders/" | "/stock/" => "GET",
        "/payments/" => "GET, PUT",
        _ => "PUT",
    }
    .to_owned()
}

fn origins() -> impl Iterator<Item = &'static str> {
    let known = [LISTED_ORIGIN, "https://shop.example.com", "https://a.example", ",", ""];
    let lists = LISTS.into_iter().filter(|list| list.contains(','));
    known.into_iter().chain(lists).chain(UNLISTED_ORIGINS).chain(VELOCITY_ORIGINS).chain(INSTRUCTIONS)
}

#[test]
fn a_page_may_read_an_answer_only_if_its_origin_is_on_the_list() {
    for (place, template, allows) in templates() {
        for list in LISTS {
            let without_origin = answered(template, list, "Origin", None);
            for origin in origins() {
                let listed = list.split(',').any(|listed| listed == origin);
                for name in ["Origin", "origin"] {
                    let rendered = answered(template, list, name, Some(origin));
                    let case = format!("{place}, {name} {origin}, list {list}: {rendered:?}");
                    let header = |name| rendered.response_override.header.get(name).map(String::as_str);
                    assert_eq!(header("Access-Control-Allow-Origin"), listed.then_some(origin), "{case}");
                    assert_eq!(header("Vary"), listed.then_some("Origin"), "{case}");
                    assert_eq!(header("Access-Control-Allow-Methods"), allows.as_deref().filter(|_| listed), "{case}");
                    assert_eq!(rendered.text, without_origin.text, "{case}: the body must not depend on the origin");
                    assert_eq!(rendered.response_override.status, without_origin.response_override.status, "{case}");
                    let more = rendered.response_override.header.len() - without_origin.response_override.header.len();
                    assert!(listed || more == 0, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_preflight_has_no_body() {
    for (place, template, _) in templates().into_iter().filter(|(_, _, allows)| allows.is_some()) {
        for origin in [None, Some(LISTED_ORIGIN), Some("null")] {
            let rendered = answered(template, LISTED_ORIGIN, "origin", origin);
            assert_eq!(rendered.text.trim(), "", "{place}");
        }
    }
}
