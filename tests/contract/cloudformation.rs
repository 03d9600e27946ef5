//! `template.yaml` as JSON, with intrinsic functions in their long form.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;
use testkit::repository;

pub(crate) struct Template(Value);

/// With callbacks, the default.
pub(crate) fn template() -> Template {
    let whole = yaml(&repository::read("template.yaml"));
    Template(decided(whole).expect("a template is not AWS::NoValue"))
}

/// Of all resources that serve callbacks.
const CALLBACKS: &str = "HasCallbacks";

/// Decides this condition in a value; `None` for `AWS::NoValue`. Other conditions stay.
fn decided(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            if let Some([condition, then, _]) = fields.get("Fn::If").and_then(Value::as_array).map(Vec::as_slice)
                && condition == CALLBACKS
            {
                return if *then == json!({"Ref": "AWS::NoValue"}) { None } else { decided(then.clone()) };
            }
            let left = fields.into_iter().filter_map(|(name, value)| Some((name, decided(value)?)));
            Some(Value::Object(left.collect()))
        }
        Value::Array(items) => Some(items.into_iter().filter_map(decided).collect()),
        plain => Some(plain),
    }
}

pub(crate) fn rest_api() -> Value {
    yaml(&repository::read("infra/openapi.yaml"))
}

/// YAML as JSON: `!Ref A` becomes `{"Ref": "A"}`, `!GetAtt A.B` becomes `{"Fn::GetAtt": ["A", "B"]}`.
pub(crate) fn yaml(text: &str) -> Value {
    long_form(serde_yaml_ng::from_str(text).unwrap())
}

fn long_form(value: Yaml) -> Value {
    match value {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let argument = long_form(tagged.value);
            match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => json!({ name: argument }),
                "GetAtt" => json!({ "Fn::GetAtt": attribute_of(argument) }),
                name => json!({ format!("Fn::{name}"): argument }),
            }
        }
        Yaml::Sequence(items) => items.into_iter().map(long_form).collect(),
        Yaml::Mapping(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key_text(key), long_form(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        plain => serde_json::to_value(plain).unwrap(),
    }
}

fn attribute_of(argument: Value) -> Value {
    let parts = argument.as_str().and_then(|text| text.split_once('.')).map(|(name, rest)| json!([name, rest]));
    parts.unwrap_or(argument)
}

fn key_text(key: Yaml) -> String {
    match key {
        Yaml::String(text) => text,
        other => serde_yaml_ng::to_string(&other).unwrap().trim_end().to_owned(),
    }
}

impl Template {
    pub(crate) fn resources(&self) -> &Map<String, Value> {
        self.0["Resources"].as_object().unwrap()
    }

    pub(crate) fn resource(&self, id: &str) -> &Value {
        self.resources().get(id).unwrap_or_else(|| panic!("template.yaml has no resource {id}: add it"))
    }

    pub(crate) fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let resources = self.resources().iter().filter(move |(_, resource)| resource["Type"] == kind);
        resources.map(|(id, resource)| (id.as_str(), &resource["Properties"]))
    }

    /// A function's property, or that of `Globals`.
    pub(crate) fn function_property<'a>(&'a self, properties: &'a Value, name: &str) -> &'a Value {
        properties.get(name).unwrap_or(&self.0["Globals"]["Function"][name])
    }

    /// The value of a mapping, or a parameter's default. Other values stay.
    pub(crate) fn resolve(&self, value: &Value) -> Value {
        if let Some(path) = value["Fn::FindInMap"].as_array() {
            let [map, top, second] = path.as_slice() else { panic!("Fn::FindInMap takes three names: {value}") };
            let [map, top, second] = [map, top, second].map(|name| name.as_str().unwrap());
            return self.0["Mappings"][map][top][second].clone();
        }
        value["Ref"].as_str().and_then(|name| self.0["Parameters"][name].get("Default")).unwrap_or(value).clone()
    }

    pub(crate) fn number(&self, value: &Value) -> u64 {
        let resolved = self.resolve(value);
        let text = resolved.as_str().and_then(|text| text.parse().ok());
        resolved.as_u64().or(text).unwrap_or_else(|| panic!("{value} is not a whole number"))
    }
}
