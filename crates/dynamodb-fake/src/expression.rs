use serde_json::{Value, json};
use std::iter::Peekable;

/// The condition, the update and the placeholders of one write.
pub(crate) struct Expressions<'a>(&'a Value);

impl<'a> Expressions<'a> {
    /// `request` may be one action of a transaction.
    pub(crate) fn new(request: &'a Value) -> Self {
        let used = [tokens(&request["ConditionExpression"]), tokens(&request["UpdateExpression"])].concat();
        for placeholders in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            for name in request[placeholders].as_object().into_iter().flatten().map(|(name, _)| name) {
                let is_used = used.iter().any(|token| token.split('.').any(|part| part == name));
                assert!(is_used, "{name} is not used: DynamoDB refuses the request");
            }
        }
        Self(request)
    }

    /// Whether the item meets the condition, if there is one.
    pub(crate) fn condition(&self, item: &Value) -> bool {
        let tokens = tokens(&self.0["ConditionExpression"]);
        let mut rest = tokens.iter().map(String::as_str).peekable();
        if rest.peek().is_none() {
            return true;
        }
        let holds = self.either(item, &mut rest);
        assert_eq!(rest.next(), None, "the condition has no further tokens");
        holds
    }

    fn either<'t>(&self, item: &Value, rest: &mut Peekable<impl Iterator<Item = &'t str>>) -> bool {
        let mut holds = self.both(item, rest);
        while rest.next_if_eq(&"OR").is_some() {
            holds |= self.both(item, rest);
        }
        holds
    }

    fn both<'t>(&self, item: &Value, rest: &mut Peekable<impl Iterator<Item = &'t str>>) -> bool {
        let mut holds = self.one(item, rest);
        while rest.next_if_eq(&"AND").is_some() {
            holds &= self.one(item, rest);
        }
        holds
    }

    fn one<'t>(&self, item: &Value, rest: &mut Peekable<impl Iterator<Item = &'t str>>) -> bool {
        match rest.next().expect("a condition") {
            "NOT" => !self.one(item, rest),
            "(" => {
                let holds = self.either(item, rest);
                assert_eq!(rest.next(), Some(")"));
                holds
            }
            "attribute_not_exists" => {
                assert_eq!(rest.next(), Some("("));
                let absent = self.find(item, rest.next().expect("a path")).is_none();
                assert_eq!(rest.next(), Some(")"));
                absent
            }
            path => {
                let operator = rest.next().expect("an operator");
                let value = self.value(rest.next().expect("a value"));
                self.find(item, path).is_some_and(|found| match operator {
                    "=" => found == value,
                    "<" => number(found) < number(value),
                    ">=" => number(found) >= number(value),
                    other => panic!("{other} is not implemented"),
                })
            }
        }
    }

    pub(crate) fn update(&self, item: &Value) -> Value {
        let tokens = tokens(&self.0["UpdateExpression"]);
        let mut rest = tokens.iter().map(String::as_str).peekable();
        let clause = rest.next().expect("an update");
        let mut updated = item.clone();
        loop {
            let path = rest.next().expect("a path");
            let value = match clause {
                "SET" => {
                    assert_eq!(rest.next(), Some("="));
                    self.sum(item, &mut rest)
                }
                "ADD" => {
                    let amount = number(self.value(rest.next().expect("a value")));
                    json!({"N": (self.find(item, path).map_or(0, number) + amount).to_string()})
                }
                other => panic!("{other} is not implemented"),
            };
            self.set(&mut updated, path, value);
            match rest.next() {
                None => return updated,
                separator => assert_eq!(separator, Some(","), "one clause"),
            }
        }
    }

    fn sum<'t>(&self, item: &Value, rest: &mut Peekable<impl Iterator<Item = &'t str>>) -> Value {
        let left = self.operand(item, rest);
        if rest.next_if_eq(&"-").is_none() {
            return left;
        }
        json!({"N": (number(&left) - number(&self.operand(item, rest))).to_string()})
    }

    fn operand<'t>(&self, item: &Value, rest: &mut Peekable<impl Iterator<Item = &'t str>>) -> Value {
        match rest.next().expect("an operand") {
            "if_not_exists" => {
                assert_eq!(rest.next(), Some("("));
                let found = self.find(item, rest.next().expect("a path")).cloned();
                assert_eq!(rest.next(), Some(","));
                let default = self.operand(item, rest);
                assert_eq!(rest.next(), Some(")"));
                found.unwrap_or(default)
            }
            value => self.value(value).clone(),
        }
    }

    fn set(&self, item: &mut Value, path: &str, value: Value) {
        let mut names: Vec<_> = path.split('.').map(|name| self.name(name)).collect();
        let last = names.pop().expect("a path has a name");
        let parent = names.iter().fold(item, |parent, name| &mut parent[name]["M"]);
        parent.as_object_mut().expect("DynamoDB cannot add an entry to a missing map").insert(last, value);
    }

    fn find<'i>(&self, item: &'i Value, path: &str) -> Option<&'i Value> {
        let mut names = path.split('.').map(|name| self.name(name));
        let first = item.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get("M")?.get(name))
    }

    fn name(&self, name: &str) -> String {
        if name.starts_with('#') {
            self.0["ExpressionAttributeNames"][name].as_str().expect("the name is defined").to_owned()
        } else {
            name.to_owned()
        }
    }

    fn value(&self, name: &str) -> &Value {
        self.0["ExpressionAttributeValues"].get(name).expect("the value is defined")
    }
}

fn number(value: &Value) -> i64 {
    value["N"].as_str().and_then(|digits| digits.parse().ok()).expect("a whole number")
}

/// Parentheses and commas are separate tokens.
fn tokens(expression: &Value) -> Vec<String> {
    let expression = expression.as_str().unwrap_or_default();
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace(',', " , ");
    spaced.split_whitespace().map(str::to_owned).collect()
}
