//! Compares the schemas of `infra/openapi.yaml` with the domain's limits and the wire types.

use crate::cloudformation::rest_api;
use jsonschema::Validator;
use orders::{
    Lane, Note, Order, OrderContent, Outcome, PageLimit, Quantity, Sku, Status, Step, UnitPrice, Vote, fakes,
};
use orders_api::{
    ItemView, MAX_BODY_BYTES, OrderListView, OrderSummaryView, OrderView, PendingView, Problem, QueuedView, StepView,
    SubmittedView, ViolationView, parse_order_body,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema(name: &str) -> Value {
    rest_api()["components"]["schemas"][name].clone()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("{value} is not an object")).keys().cloned().collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// With every field.
pub(crate) fn full_order() -> OrderView {
    let text = || "text".to_owned();
    OrderView {
        order_id: text(),
        status: text(),
        lane: text(),
        currency: Some(text()),
        items: Some(vec![ItemView { sku: text(), quantity: 1, unit_price_minor: 1 }]),
        note: Some(text()),
        total_minor: Some(1),
        placed_at: text(),
        confirmed_at: Some(text()),
        cancelled_at: Some(text()),
        attempts: 1,
        reason: Some(text()),
        steps: Some(vec![StepView { step: text(), state: text(), reason: Some(text()) }]),
    }
}

#[test]
fn the_limits_of_a_request_are_those_of_the_domain() {
    let request = schema("OrderRequest");
    let properties = &request["properties"];
    let item = &properties["items"]["items"]["properties"];

    assert_eq!(properties["items"]["minItems"], 1, "items.minItems");
    assert_eq!(properties["items"]["maxItems"], OrderContent::MAX_ITEMS, "items.maxItems");
    assert_eq!(item["sku"]["pattern"], format!("^[A-Za-z0-9._-]{{1,{}}}$", Sku::MAX_CHARS), "sku.pattern");
    assert_eq!(item["quantity"]["minimum"], 1, "quantity.minimum");
    assert_eq!(item["quantity"]["maximum"], Quantity::MAX, "quantity.maximum");
    assert_eq!(item["unitPriceMinor"]["minimum"], 0, "unitPriceMinor.minimum");
    assert_eq!(item["unitPriceMinor"]["maximum"], UnitPrice::MAX, "unitPriceMinor.maximum");
    assert_eq!(properties["note"]["maxLength"], Note::MAX_CHARS, "note.maxLength");
}

#[test]
fn a_request_takes_the_fields_of_an_order_and_no_others() {
    let request = schema("OrderRequest");
    let item = &request["properties"]["items"]["items"];

    assert_eq!(keys(&request["properties"]), BTreeSet::from(["currency", "items", "note"].map(String::from)));
    assert_eq!(keys(&item["properties"]), keys(&json_of(&full_order().items.unwrap()[0])));
    for (object, name) in [(&request, "OrderRequest"), (item, "its items")] {
        assert_eq!(object["additionalProperties"], false, "{name}: refuse unknown fields");
    }
}

#[test]
fn an_order_has_the_properties_that_the_functions_write() {
    let order = schema("Order");

    assert_eq!(keys(&order["properties"]), keys(&json_of(&full_order())), "Order (left), OrderView (right)");
    assert_eq!(
        keys(&order["properties"]["items"]["items"]["properties"]),
        keys(&json_of(&full_order().items.unwrap()[0])),
        "items of Order (left), ItemView (right)"
    );
    assert_eq!(
        keys(&order["properties"]["steps"]["items"]["properties"]),
        keys(&json_of(&full_order().steps.unwrap()[0])),
        "steps of Order (left), StepView (right)"
    );
    assert_eq!(
        texts(&order["required"]),
        keys(&json_of(&PendingView::new("text"))),
        "required of Order (left), fields of a pending order (right)"
    );
}

#[test]
fn an_order_has_the_statuses_and_lanes_of_the_domain() {
    let order = schema("Order");
    let statuses = Status::ALL.map(Status::name).into_iter().chain([PendingView::STATUS]);

    assert_eq!(texts(&order["properties"]["status"]["enum"]), statuses.map(String::from).collect());
    assert_eq!(texts(&order["properties"]["lane"]["enum"]), Lane::ALL.map(|lane| lane.name().to_owned()).into());
    assert_eq!(
        lanes::names().collect::<Vec<_>>(),
        Lane::ALL.map(Lane::name),
        "crates/lanes (left), the domain (right)"
    );
}

#[test]
fn a_list_has_the_properties_that_the_function_writes() {
    let (list, summary, order) = (schema("OrderList"), schema("OrderSummary"), schema("Order"));
    let text = || "text".to_owned();
    let orders = vec![OrderSummaryView {
        order_id: text(),
        status: text(),
        lane: text(),
        currency: Some(text()),
        total_minor: Some(1),
        placed_at: text(),
        confirmed_at: Some(text()),
        cancelled_at: Some(text()),
    }];
    let page = json_of(&OrderListView { orders, next: Some(text()) });

    assert_eq!(keys(&list["properties"]), keys(&page), "OrderList (left), OrderListView (right)");
    assert_eq!(keys(&summary["properties"]), keys(&page["orders"][0]), "OrderSummary (left), its wire type (right)");
    let statuses = Status::ALL.map(|status| status.name().to_owned());
    assert_eq!(
        texts(&summary["properties"]["status"]["enum"]),
        statuses.into(),
        "a list has only orders with a record"
    );
    for (name, property) in summary["properties"].as_object().unwrap() {
        assert_eq!(property["type"], order["properties"][name]["type"], "{name}");
    }
}

#[test]
fn the_example_of_a_list_can_be_parsed() {
    let get = rest_api()["paths"]["/orders"]["get"].clone();
    let example = get["responses"]["200"]["content"]["application/json"]["example"].clone();

    let page: OrderListView = serde_json::from_value(example.clone()).unwrap();

    assert_eq!(json_of(&page), example);
    let limit = get["parameters"][0]["schema"].clone();
    let parsed = |name: &str| PageLimit::parse(&limit[name].to_string());
    assert_eq!(parsed("minimum").map(PageLimit::get), Some(1));
    assert_eq!(parsed("maximum").map(PageLimit::get), Some(PageLimit::MAX));
    assert_eq!(parsed("default"), Some(PageLimit::DEFAULT));
}

/// Of the bus lane, with a step in each state.
fn orders_with_steps() -> impl Iterator<Item = OrderView> {
    let votes = [Vote::Held, Vote::Refused("out of stock".into()), Vote::Failed("no answer".into())];
    let of_stock = votes.into_iter().map(|vote| {
        let outcome = match fakes::placed().outcome {
            Outcome::Placed { content, .. } => {
                Outcome::Placed { content, votes: [(Step::Stock, vote)].into_iter().collect() }
            }
            other => other,
        };
        Order { outcome, ..fakes::placed() }
    });
    let decided = [fakes::confirmed_by_steps(), fakes::cancelled("out of stock")];
    of_stock.chain(decided).map(|order| OrderView::from(&order))
}

#[test]
fn steps_have_the_names_and_states_that_the_functions_write() {
    let step = schema("Order")["properties"]["steps"]["items"]["properties"].clone();
    let shown = orders_with_steps().flat_map(|order| order.steps.unwrap());
    let states: BTreeSet<_> = shown.map(|step| step.state).collect();

    assert_eq!(texts(&step["step"]["enum"]), Step::ALL.map(|step| step.name().to_owned()).into());
    assert_eq!(texts(&step["state"]["enum"]), states, "described (left), shown (right)");
}

#[test]
fn a_submitted_answer_has_the_properties_that_the_function_writes() {
    let (schema, submitted) = (schema("Submitted"), json_of(&SubmittedView::new("text")));

    assert_eq!(keys(&schema["properties"]), keys(&submitted), "Submitted (left), SubmittedView (right)");
    assert_eq!(schema["properties"]["status"]["enum"], json!([submitted["status"]]));
}

#[test]
fn a_queued_answer_has_the_properties_that_clients_read() {
    let queued = json_of(&QueuedView { status: "QUEUED".into(), message_id: "text".into() });

    assert_eq!(keys(&schema("Queued")["properties"]), keys(&queued), "Queued (left), QueuedView (right)");
}

#[test]
fn a_problem_has_the_properties_that_the_functions_write() {
    let violation = ViolationView { pointer: "/note".into(), detail: "text".into() };
    let problem = Problem {
        request_id: Some("text".into()),
        errors: vec![violation.clone()],
        ..Problem::new(400, "Bad Request", "text")
    };

    let schema = schema("Problem");

    assert_eq!(keys(&schema["properties"]), keys(&json_of(&problem)), "Problem (left), its wire type (right)");
    assert_eq!(keys(&schema["properties"]["errors"]["items"]["properties"]), keys(&json_of(&violation)));
}

#[test]
fn the_definition_has_the_limit_of_bodies() {
    let detail = &rest_api()["x-amazon-apigateway-gateway-responses"]["REQUEST_TOO_LARGE"];

    let limit = format!("at most {} KiB", MAX_BODY_BYTES / 1024);
    assert!(detail["responseTemplates"].to_string().contains(&limit), "{detail}");
    let queue = rest_api()["paths"]["/async/orders/{orderId}"]["put"]["x-amazon-apigateway-integration"].clone();
    let bound = format!("$bytes <= {MAX_BODY_BYTES})");
    assert!(queue["requestTemplates"].to_string().contains(&bound), "both lanes must have the same limit: {bound}");
}

fn order() -> Value {
    json!({"currency": "EUR", "items": [item()], "note": "ring twice"})
}

fn item() -> Value {
    json!({"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999})
}

/// The sample order with another value at `pointer`, or with a new field.
fn with(pointer: &str, value: Value) -> Value {
    let mut order = order();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match order.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    order
}

fn without(parent: &str, name: &str) -> Value {
    let mut order = order();
    order.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    order
}

/// On and around every limit.
fn bodies() -> Vec<Value> {
    let mut bodies = vec![order(), json!({}), json!([]), json!(null), json!("{}"), without("", "note")];
    bodies.extend(["currency", "items"].map(|name| without("", name)));
    bodies.extend(["sku", "quantity", "unitPriceMinor"].map(|name| without("/items/0", name)));
    bodies.extend(
        [json!("JPY"), json!("eur"), json!("EURO"), json!(" EUR"), json!("EUR\n"), json!(1), json!(null)]
            .map(|currency| with("/currency", currency)),
    );
    let items = |count: usize| with("/items", vec![item(); count].into());
    bodies.extend([0, 1, 2, OrderContent::MAX_ITEMS, OrderContent::MAX_ITEMS + 1].map(items));
    bodies.extend(
        [json!({}), json!(null), json!([null]), json!(["SKU-1"]), json!([[]])].map(|items| with("/items", items)),
    );
    let longest = "x".repeat(Sku::MAX_CHARS);
    for sku in ["", "a", "A.b_c-9", "a b", "a\n", "ä", "a/b", &longest, &format!("{longest}x")] {
        bodies.push(with("/items/0/sku", json!(sku)));
    }
    let numbers = [-1, 0, 1, Quantity::MAX.into(), i64::from(Quantity::MAX) + 1, UnitPrice::MAX.into()];
    for number in numbers.into_iter().chain([i64::from(UnitPrice::MAX) + 1, i64::MAX, i64::MIN]) {
        bodies.push(with("/items/0/quantity", json!(number)));
        bodies.push(with("/items/0/unitPriceMinor", json!(number)));
    }
    for odd in [json!(u64::MAX), json!(1.5), json!(2.0), json!(1e300), json!("1"), json!(true), json!(null), json!([1])]
    {
        bodies.push(with("/items/0/quantity", odd.clone()));
        bodies.push(with("/items/0/unitPriceMinor", odd));
    }
    for note in [
        "",
        "&DelaySeconds=900",
        "\0\u{1}\t\r\n\"\\\u{7f}",
        "a\u{FFFD}",
        "\u{FFFE}",
        "\u{FFFF}",
        "\u{10FFFF}",
        "\u{FFFD}\n",
        &"x".repeat(Note::MAX_CHARS),
        &"😀".repeat(Note::MAX_CHARS),
        &"x".repeat(Note::MAX_CHARS + 1),
        &"😀".repeat(Note::MAX_CHARS + 1),
    ] {
        bodies.push(with("/note", json!(note)));
    }
    bodies.extend([json!(null), json!(1), json!(["x"])].map(|note| with("/note", note)));
    bodies.extend(["/vip", "/Note", "/orderId", "/items/0/vip", "/items/0/SKU"].map(|field| with(field, json!("x"))));
    bodies
}

pub(crate) fn validator() -> Validator {
    jsonschema::draft4::new(&schema("OrderRequest")).unwrap()
}

#[test]
fn the_edge_and_the_functions_agree_on_what_an_order_is() {
    let validator = validator();
    let bodies = bodies();

    for body in &bodies {
        let at_the_edge = validator.is_valid(body);
        let in_the_function = parse_order_body(body.to_string().as_bytes()).is_ok();
        assert_eq!(at_the_edge, in_the_function, "schema OrderRequest (left), parse_order_body (right): {body}");
    }
    assert!(
        bodies.iter().filter(|body| validator.is_valid(body)).count() > 15,
        "the bodies must include more valid ones"
    );
}

#[test]
fn only_the_functions_refuse_unknown_currencies() {
    let body = with("/currency", json!("ABC"));

    assert!(validator().is_valid(&body));
    assert!(parse_order_body(body.to_string().as_bytes()).is_err());
}
