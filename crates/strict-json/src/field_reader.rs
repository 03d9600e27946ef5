//! Fields of JSON objects, by their types.

use crate::unambiguous::Unambiguous;
use serde_json::{Map, Value};
use shared_kernel::{Violation, Violations};

/// Longest piece of a caller's own text repeated in a violation, in characters.
const MAX_ECHO_CHARS: usize = 64;

/// The fields of a body that is a JSON object.
///
/// # Errors
/// One violation of the whole body: it is not JSON, an object in it has a key twice, or it is not an object.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, Violations> {
    match serde_json::from_slice(body) {
        Ok(Unambiguous(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err(Violation::new("", "the body must be a JSON object").into()),
        Err(error) => Err(Violation::new("", format!("the body must be JSON without a field twice: {error}")).into()),
    }
}

/// Takes fields out of JSON objects and records those of the wrong type. `parent` is the JSON pointer of the object, empty for
/// the whole body. A field that is missing is not a violation: the domain says what is required.
#[derive(Debug, Default)]
pub struct FieldReader {
    violations: Violations,
}

impl FieldReader {
    /// Takes a field that must be a string, if it is there.
    pub fn string(&mut self, parent: &str, fields: &mut Map<String, Value>, name: &str) -> Option<String> {
        match fields.remove(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong(&format!("{parent}/{name}"), "must be a string"),
        }
    }

    /// Takes a field that must be an integer, if it is there. An integer above `i64::MAX` becomes `i64::MAX`: the domain says
    /// which range is right.
    pub fn integer(&mut self, parent: &str, fields: &mut Map<String, Value>, name: &str) -> Option<i64> {
        match fields.remove(name)? {
            Value::Number(number) if number.is_i64() => number.as_i64(),
            Value::Number(number) if number.is_u64() => Some(i64::MAX),
            _ => self.wrong(&format!("{parent}/{name}"), "must be an integer"),
        }
    }

    /// Records every field that was not taken as unknown.
    pub fn refuse_rest(&mut self, parent: &str, fields: &Map<String, Value>) {
        for name in fields.keys() {
            let echo: String = name.chars().take(MAX_ECHO_CHARS).collect();
            let token = echo.replace('~', "~0").replace('/', "~1");
            self.wrong::<()>(&format!("{parent}/{token}"), "is not a known field");
        }
    }

    /// Records that what is at `pointer` is wrong, and returns nothing in its place.
    pub fn wrong<T>(&mut self, pointer: &str, detail: &str) -> Option<T> {
        self.violations.push(Violation::new(pointer, detail));
        None
    }

    /// Everything that was wrong, in the order found.
    #[must_use]
    pub fn into_violations(self) -> Violations {
        self.violations
    }
}
