use crate::unambiguous::Unambiguous;
use serde_json::{Map, Value};
use shared_kernel::{Violation, Violations};

/// Longest piece of a caller's text that a violation repeats.
const MAX_ECHO_CHARS: usize = 64;

/// The fields of a body that is a JSON object.
///
/// # Errors
/// One violation of the whole body: it is not JSON, not an object, or has a duplicate key.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, Violations> {
    match serde_json::from_slice(body) {
        Ok(Unambiguous(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err(Violation::new("", "the body must be a JSON object").into()),
        Err(error) => Err(Violation::new("", format!("the body must be JSON without duplicate keys: {error}")).into()),
    }
}

/// Takes fields out of JSON objects, and records fields of the wrong type. `parent` is the object's JSON pointer, empty
/// for the whole body. A missing field is not a violation: the domain checks that.
#[derive(Debug, Default)]
pub struct FieldReader {
    violations: Violations,
}

impl FieldReader {
    /// Takes an optional string.
    pub fn string(&mut self, parent: &str, fields: &mut Map<String, Value>, name: &str) -> Option<String> {
        match fields.remove(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong(&format!("{parent}/{name}"), "must be a string"),
        }
    }

    /// Takes an optional integer. Above `i64::MAX` it becomes `i64::MAX`: the domain checks the range.
    pub fn integer(&mut self, parent: &str, fields: &mut Map<String, Value>, name: &str) -> Option<i64> {
        match fields.remove(name)? {
            Value::Number(number) if number.is_i64() => number.as_i64(),
            Value::Number(number) if number.is_u64() => Some(i64::MAX),
            _ => self.wrong(&format!("{parent}/{name}"), "must be an integer"),
        }
    }

    /// Records every remaining field as unknown.
    pub fn refuse_rest(&mut self, parent: &str, fields: &Map<String, Value>) {
        for name in fields.keys() {
            let echo: String = name.chars().take(MAX_ECHO_CHARS).collect();
            let token = echo.replace('~', "~0").replace('/', "~1");
            self.wrong::<()>(&format!("{parent}/{token}"), "is not a known field");
        }
    }

    /// Records a violation at `pointer`, and returns `None` in place of the value.
    pub fn wrong<T>(&mut self, pointer: &str, detail: &str) -> Option<T> {
        self.violations.push(Violation::new(pointer, detail));
        None
    }

    /// All violations, in the order found.
    #[must_use]
    pub fn into_violations(self) -> Violations {
        self.violations
    }
}
