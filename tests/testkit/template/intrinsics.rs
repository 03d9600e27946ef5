//! Conditions and intrinsic functions, evaluated as CloudFormation does.

use super::identifiers::Place;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) struct Evaluation<'a> {
    template: &'a Value,
    parameters: &'a BTreeMap<String, String>,
    place: Place,
    problems: Vec<String>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(template: &'a Value, parameters: &'a BTreeMap<String, String>, place: Place) -> Self {
        Self { template, parameters, place, problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<String> {
        self.problems
    }

    /// Resources that are created, by logical id.
    pub(super) fn created(&mut self) -> Vec<(&'a String, &'a Value)> {
        let all = self.template["Resources"].as_object().unwrap();
        all.iter().filter(|(_, definition)| self.holds_for(definition)).collect()
    }

    pub(super) fn outputs(&mut self) -> Map<String, Value> {
        let all = self.template["Outputs"].as_object().unwrap();
        let outputs = all.iter().filter_map(|(name, output)| {
            let value = self.holds_for(output).then(|| self.value(&output["Value"], &format!("output {name}")))?;
            if value.is_none() {
                self.problems.push(format!("output {name} has no value"));
            }
            Some((name.clone(), value?))
        });
        outputs.collect()
    }

    /// A resource's dependencies must be created.
    pub(super) fn check_dependencies(&mut self, id: &str, definition: &Value) {
        let named = match &definition["DependsOn"] {
            Value::Array(names) => names.iter().collect(),
            Value::Null => Vec::new(),
            name => vec![name],
        };
        for name in named.into_iter().filter_map(Value::as_str) {
            self.created_kind(name, id);
        }
    }

    fn holds_for(&mut self, definition: &Value) -> bool {
        let condition = definition["Condition"].as_str();
        condition.is_none_or(|name| self.condition(&json!({"Condition": name})))
    }

    pub(super) fn condition(&mut self, value: &Value) -> bool {
        let Some((function, argument)) = call(value) else { panic!("{value} is not a condition") };
        let arguments = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (function, arguments) {
            ("Condition", _) => {
                let name = argument.as_str().unwrap();
                let condition = self.template["Conditions"].get(name);
                self.condition(condition.unwrap_or_else(|| panic!("the condition {name} does not exist")))
            }
            ("Fn::Equals", [left, right]) => self.value(left, "a condition") == self.value(right, "a condition"),
            ("Fn::Not", [one]) => !self.condition(one),
            ("Fn::And", all) => all.iter().all(|one| self.condition(one)),
            ("Fn::Or", all) => all.iter().any(|one| self.condition(one)),
            _ => panic!("{function} of a condition is not implemented here: add it"),
        }
    }

    /// `None` for `AWS::NoValue`, which removes the property.
    pub(super) fn value(&mut self, value: &Value, at: &str) -> Option<Value> {
        if let Some((function, argument)) = call(value) {
            return self.call(function, argument, at);
        }
        Some(match value {
            Value::Object(fields) => {
                let fields = fields.iter().filter_map(|(key, value)| Some((key.clone(), self.value(value, at)?)));
                Value::Object(fields.collect())
            }
            Value::Array(items) => items.iter().filter_map(|item| self.value(item, at)).collect(),
            plain => plain.clone(),
        })
    }

    fn call(&mut self, function: &str, argument: &Value, at: &str) -> Option<Value> {
        let arguments = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (function, arguments) {
            ("Ref", _) if argument == "AWS::NoValue" => None,
            ("Fn::GetAtt", [id, attribute]) => {
                Some(self.named(&format!("{}.{}", id.as_str().unwrap(), attribute.as_str().unwrap()), at).into())
            }
            ("Ref" | "Fn::GetAtt", _) => Some(self.named(argument.as_str().unwrap(), at).into()),
            ("Fn::Sub", [format, variables]) => {
                let variables = self.value(variables, at)?;
                Some(self.substituted(format.as_str().unwrap(), &variables, at).into())
            }
            ("Fn::Sub", _) => Some(self.substituted(argument.as_str().unwrap(), &Value::Null, at).into()),
            ("Fn::If", [condition, yes, no]) => {
                let holds = self.condition(&json!({"Condition": condition}));
                self.value(if holds { yes } else { no }, at)
            }
            ("Fn::Join", [delimiter, parts]) => {
                let parts = self.value(parts, at)?;
                let parts: Vec<_> = parts.as_array().unwrap().iter().map(plain).collect();
                Some(parts.join(delimiter.as_str().unwrap()).into())
            }
            ("Fn::Split", [delimiter, text]) => {
                let text = plain(&self.value(text, at)?);
                Some(text.split(delimiter.as_str().unwrap()).collect())
            }
            ("Fn::Select", [index, list]) => {
                let list = self.value(list, at)?;
                let index: usize = plain(index).parse().unwrap();
                Some(list.get(index).unwrap_or_else(|| panic!("{at}: {list} has no item {index}")).clone())
            }
            ("Fn::FindInMap", path) => {
                let found = path.iter().fold(&self.template["Mappings"], |map, name| &map[name.as_str().unwrap()]);
                assert!(!found.is_null(), "{at}: the mappings have no value at {argument}");
                Some(found.clone())
            }
            _ => panic!("{at}: {function} is not implemented here: add it"),
        }
    }

    fn substituted(&mut self, format: &str, variables: &Value, at: &str) -> String {
        let mut pieces = format.split("${");
        let mut text = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}').unwrap_or_else(|| panic!("{at}: {format}"));
            match (name.strip_prefix('!'), variables.get(name)) {
                (Some(literal), _) => text.extend(["${", literal, "}"]),
                (None, Some(value)) => text.push_str(&plain(value)),
                (None, None) => text.push_str(&self.named(name, at)),
            }
            text.push_str(rest);
        }
        text
    }

    /// Of a name, such as `Id.Attribute`. An unknown name is a problem, and its own value.
    fn named(&mut self, name: &str, at: &str) -> String {
        let known = self.place.pseudo(name).or_else(|| self.parameters.get(name).cloned());
        if let Some(value) = known {
            return value;
        }
        let (id, attribute) = name.split_once('.').map_or((name, None), |(id, attribute)| (id, Some(attribute)));
        let value = match (self.created_kind(id, at), attribute) {
            (None, _) => return name.to_owned(),
            (Some(_), None) => self.reference(id),
            (Some(_), Some(attribute)) => self.attribute(id, attribute),
        };
        let kind = &self.template["Resources"][id]["Type"];
        value.unwrap_or_else(|| {
            panic!("{at}: the value of {name}, a {kind}, is unknown: add it to tests/testkit/template/identifiers.rs")
        })
    }

    fn created_kind(&mut self, id: &str, at: &str) -> Option<&'a str> {
        let definition = self.template["Resources"].get(id);
        let created = definition.filter(|definition| self.holds_for(definition));
        if created.is_none() {
            let why = if definition.is_some() { "is not created under these parameters" } else { "does not exist" };
            self.problems.push(format!("{at} names {id}, which {why}"));
        }
        created?["Type"].as_str()
    }

    pub(super) fn reference(&mut self, id: &str) -> Option<String> {
        let definition = &self.template["Resources"][id];
        let kind = definition["Type"].as_str().unwrap();
        let name = match kind {
            "AWS::ApiGateway::Stage" | "AWS::ApiGatewayV2::Stage" => &definition["Properties"]["StageName"],
            "AWS::ApiGateway::DomainName" | "AWS::ApiGatewayV2::DomainName" => &definition["Properties"]["DomainName"],
            _ => return self.place.reference(kind, id),
        };
        self.value(name, id).map(|name| plain(&name))
    }

    pub(super) fn attribute(&self, id: &str, attribute: &str) -> Option<String> {
        let kind = self.template["Resources"][id]["Type"].as_str().unwrap();
        self.place.attribute(kind, id, attribute)
    }
}

/// The function and its argument, if it is a call.
fn call(value: &Value) -> Option<(&str, &Value)> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (name, argument) = fields.iter().next()?;
    let is_call = name.starts_with("Fn::") || (["Ref", "Condition"].contains(&name.as_str()) && argument.is_string());
    is_call.then_some((name, argument))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
