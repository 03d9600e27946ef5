//! Evaluates the environment variables that `template.yaml` sets for a function.

use anyhow::{Context, bail};
use serde_yaml_ng::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static WHOLE: LazyLock<Value> =
    LazyLock::new(|| serde_yaml_ng::from_str(include_str!("../../../template.yaml")).expect("the template is YAML"));

/// With values for its parameters, or their defaults.
pub(crate) struct Template {
    whole: &'static Value,
    parameters: BTreeMap<&'static str, String>,
}

impl Template {
    pub(crate) fn with(parameters: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { whole: &WHOLE, parameters: parameters.into_iter().collect() }
    }

    /// A function's environment variables, by the name of its folder.
    ///
    /// # Errors
    /// The template does not have the function, or a variable's value is of a kind that is not supported here.
    pub(crate) fn environment(&self, function: &str) -> anyhow::Result<Vec<(String, String)>> {
        let variables = self.property(function, "Environment")["Variables"].as_mapping();
        let mut set = Vec::new();
        for (name, value) in variables.with_context(|| format!("template.yaml sets no variables for {function}"))? {
            let name = name.as_str().context("a variable's name is text")?;
            let value = self.text(value).with_context(|| format!("Failed to evaluate {name} of {function}"))?;
            set.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(set)
    }

    /// A function's property, or that of `Globals`.
    pub(crate) fn property(&self, function: &str, name: &str) -> &Value {
        let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
        let id = function.split('-').map(capitalized).collect::<String>() + "Function";
        let properties = &self.whole["Resources"][id.as_str()]["Properties"];
        properties.get(name).unwrap_or(&self.whole["Globals"]["Function"][name])
    }

    /// As text; `None` for `AWS::NoValue`.
    pub(crate) fn text(&self, value: &Value) -> anyhow::Result<Option<String>> {
        let tagged = match value {
            Value::Tagged(tagged) => tagged,
            Value::String(text) => return Ok(Some(text.clone())),
            Value::Number(number) => return Ok(Some(number.to_string())),
            other => bail!("{other:?} is not text"),
        };
        match (tagged.tag.to_string().as_str(), &tagged.value) {
            ("!Ref", Value::String(name)) => Ok(self.reference(name)?),
            ("!Sub", Value::String(text)) => Ok(Some(self.substitute(text, &Value::Null)?)),
            ("!Sub", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(text), variables] => Ok(Some(self.substitute(text, variables)?)),
                _ => bail!("!Sub takes a text and variables"),
            },
            ("!If", Value::Sequence(parts)) => match parts.as_slice() {
                [condition, then, otherwise] => self.text(if self.holds(condition)? { then } else { otherwise }),
                _ => bail!("!If takes three values"),
            },
            ("!FindInMap", Value::Sequence(path)) => {
                self.text(path.iter().fold(&self.whole["Mappings"], |map, key| &map[key]))
            }
            (tag, _) => bail!("{tag} is not supported here"),
        }
    }

    fn holds(&self, condition: &Value) -> anyhow::Result<bool> {
        if let Value::String(name) = condition {
            return self.holds(&self.whole["Conditions"][name.as_str()]);
        }
        let Value::Tagged(tagged) = condition else { bail!("{condition:?} is not a condition") };
        match (tagged.tag.to_string().as_str(), tagged.value.as_sequence().map(Vec::as_slice)) {
            ("!Equals", Some([left, right])) => Ok(self.text(left)? == self.text(right)?),
            ("!Not", Some([other])) => Ok(!self.holds(other)?),
            ("!And", Some(all)) => all.iter().try_fold(true, |so_far, one| Ok(so_far && self.holds(one)?)),
            (tag, _) => bail!("{tag} is not supported here"),
        }
    }

    /// A parameter's value, or a resource's name: its logical id, the URL of a queue, or the ARN of a topic.
    fn reference(&self, name: &str) -> anyhow::Result<Option<String>> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        if let Some(parameter) = self.whole["Parameters"].get(name) {
            return self.text(&parameter["Default"]);
        }
        let endpoint = self.parameters.get("LocalEndpoint");
        Ok(Some(match (self.whole["Resources"][name]["Type"].as_str(), endpoint) {
            (Some("AWS::SQS::Queue"), Some(endpoint)) => format!("{endpoint}/123456789012/{name}"),
            (Some("AWS::SNS::Topic"), _) => format!("arn:aws:sns:eu-central-1:123456789012:{name}"),
            _ => name.to_owned(),
        }))
    }

    fn substitute(&self, text: &str, variables: &Value) -> anyhow::Result<String> {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').with_context(|| format!("{text} has an open brace"))?;
            let value = variables.get(name).map_or_else(|| self.reference(name), |value| self.text(value))?;
            whole += &value.with_context(|| format!("{name} has no value"))?;
            whole += rest;
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(function: &str) -> BTreeMap<String, String> {
        let parameters = [("LocalEndpoint", "http://127.0.0.1:1"), ("JwtIssuer", "https://issuer.invalid")];
        let template = Template::with(parameters.map(|(name, value)| (name, value.to_owned())));
        template.environment(function).expect("the template has it").into_iter().collect()
    }

    #[test]
    fn parameters_mappings_conditions_and_resources_are_resolved() {
        let variables = environment("process-orders");

        for (name, value) in [
            ("ORDERS_TABLE_NAME", "OrdersTable"),
            ("ORDERS_QUEUE_URL", "http://127.0.0.1:1/123456789012/OrdersQueue"),
            ("MAX_RECEIVE_COUNT", "5"),
            ("MAX_QUEUE_AGE_SECONDS", "0"),
            ("WEBSOCKET_MANAGEMENT_URL", "http://127.0.0.1:1/_aws/execute-api/WebSocketApi/live"),
        ] {
            assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
        }
    }

    #[test]
    fn a_reference_to_a_topic_is_its_arn() {
        let variables = environment("publish-order");

        let arn = "arn:aws:sns:eu-central-1:123456789012:OrderSubmissionsTopic";
        assert_eq!(variables["ORDER_SUBMISSIONS_TOPIC_ARN"], arn);
    }

    #[test]
    fn evaluates_a_condition_of_two_conditions() {
        let variables = environment("authorize-request");

        assert_eq!(variables["JWT_ISSUER"], "https://issuer.invalid");
        assert_eq!(variables["JWKS_URL"], "");
    }
}
