//! Compares `infra/asyncapi.yaml` with the events of `event-bus`.

use crate::async_api::document;
use event_bus::{EVENT_TYPE_ATTRIBUTE, Event, EventKind, fakes};
use jsonschema::Validator;
use serde_json::{Value, json};
use shared_kernel::{Step, Vote};
use std::collections::BTreeSet;

const CHANNELS: [&str; 3] = ["orderSubmissions", "orderEvents", "stepOutcomes"];

/// Each with all fields and with only the required ones.
pub(crate) fn kinds() -> Vec<EventKind> {
    let votes = [Vote::Held, Vote::Refused("out of stock".into()), Vote::Failed("no answer".into())];
    let votes = votes.into_iter().flat_map(|vote| Step::ALL.map(|step| EventKind::Voted(step, vote.clone())));
    let of_orders = [
        EventKind::Submitted { order: fakes::ordered_items(), note: Some("Ring twice".into()) },
        EventKind::Submitted { order: fakes::ordered_items(), note: None },
        EventKind::Placed(fakes::ordered_items()),
        EventKind::Confirmed,
        EventKind::Cancelled { reason: "out of stock".into() },
    ];
    of_orders.into_iter().chain(votes).collect()
}

struct Described {
    name: String,
    channel: &'static str,
    message: Value,
}

impl Described {
    fn all() -> Vec<Self> {
        let document = document();
        let of = |channel: &'static str| {
            let names = document["channels"][channel]["messages"].as_object().unwrap().keys();
            let described = names.map(|name| {
                let message = document["components"]["messages"][name].clone();
                Self { name: name.clone(), channel, message }
            });
            described.collect::<Vec<_>>()
        };
        CHANNELS.into_iter().flat_map(of).collect()
    }

    fn types(&self) -> BTreeSet<String> {
        types_of(&self.message["payload"]["properties"]["type"])
    }

    fn examples(&self) -> &Vec<Value> {
        self.message["examples"].as_array().unwrap()
    }

    /// For payloads. The schema refers to the document's components.
    fn validator(&self) -> Validator {
        let mut schema = self.message["payload"].clone();
        schema["components"] = document()["components"].clone();
        jsonschema::draft7::new(&schema).unwrap()
    }
}

fn types_of(schema: &Value) -> BTreeSet<String> {
    let several = schema["enum"].as_array().into_iter().flatten();
    several.chain(schema.get("const")).map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Of the topic for an event.
fn channel_of(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Submitted { .. } => "orderSubmissions",
        EventKind::Placed(_) | EventKind::Confirmed | EventKind::Cancelled { .. } => "orderEvents",
        EventKind::Voted(..) => "stepOutcomes",
    }
}

fn as_json(event: &Event) -> Value {
    serde_json::from_str(&event.to_json()).unwrap()
}

#[test]
fn every_event_is_described_as_it_is_published() {
    let described = Described::all();

    for kind in kinds() {
        let (name, channel) = (kind.name(), channel_of(&kind));
        let found: Vec<_> = described.iter().filter(|described| described.types().contains(&name)).collect();
        let [message] = found[..] else { panic!("infra/asyncapi.yaml: describe {name} once") };
        assert_eq!(message.channel, channel, "{name}");
        let event = as_json(&fakes::event(kind));
        if let Err(error) = message.validator().validate(&event) {
            panic!("{}: {error}, in {event}", message.name);
        }
        let properties = message.message["payload"]["properties"].as_object().unwrap();
        let unknown = event.as_object().unwrap().keys().find(|field| !properties.contains_key(*field));
        assert_eq!(unknown, None, "{}: describe it", message.name);
    }
}

#[test]
fn every_described_event_exists() {
    let existing: BTreeSet<_> = kinds().iter().map(EventKind::name).collect();
    let described: BTreeSet<_> = Described::all().iter().flat_map(Described::types).collect();

    assert_eq!(described, existing, "types described (left), types published (right)");
}

#[test]
fn the_event_type_is_an_attribute_of_the_same_values() {
    for described in Described::all() {
        let headers = &described.message["headers"];
        assert_eq!(headers["required"], json!([EVENT_TYPE_ATTRIBUTE]), "{}", described.name);
        assert_eq!(types_of(&headers["properties"][EVENT_TYPE_ATTRIBUTE]), described.types(), "{}", described.name);
    }
}

#[test]
fn every_example_stays_the_same_when_read_and_written() {
    for described in Described::all() {
        let validator = described.validator();
        let mut types = BTreeSet::new();
        for example in described.examples() {
            let payload = &example["payload"];
            let event = Event::from_json(&payload.to_string());
            let event = event.unwrap_or_else(|error| panic!("{}: {error}: {payload}", described.name));
            assert_eq!(&as_json(&event), payload, "{}", described.name);
            assert!(validator.is_valid(payload), "{}: {payload}", described.name);
            assert_eq!(example["headers"], json!({EVENT_TYPE_ATTRIBUTE: event.kind.name()}), "{}", described.name);
            types.insert(event.kind.name());
        }
        assert_eq!(types, described.types(), "{}: one example of each type", described.name);
    }
}

/// Another team's subscriber knows only the schema.
#[test]
fn a_schema_requires_what_a_reader_requires() {
    for described in Described::all() {
        let (validator, payload) = (described.validator(), &described.examples()[0]["payload"]);
        for field in payload.as_object().unwrap().keys() {
            let mut without = payload.clone();
            without.as_object_mut().unwrap().remove(field);
            let is_read = Event::from_json(&without.to_string()).is_ok();
            assert_eq!(validator.is_valid(&without), is_read, "{} without {field}", described.name);
        }
        let mut with_more = payload.clone();
        with_more["added"] = json!("later");
        assert!(
            validator.is_valid(&with_more) && Event::from_json(&with_more.to_string()).is_ok(),
            "{}",
            described.name
        );
        let mut later = payload.clone();
        later["version"] = json!(2);
        assert!(!validator.is_valid(&later) && Event::from_json(&later.to_string()).is_err(), "{}", described.name);
    }
}
