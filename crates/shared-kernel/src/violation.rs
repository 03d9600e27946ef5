use std::fmt;

/// One broken rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pointer: String,
    detail: String,
}

impl Violation {
    /// `pointer` is an RFC 6901 JSON pointer; `""` is the whole body. `detail` is a fragment such as `must be an
    /// integer from 1 to 10000`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }

    /// The RFC 6901 JSON pointer, for example `/items/0/quantity`.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What is wrong there.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() { f.write_str(&self.detail) } else { write!(f, "{}: {}", self.pointer, self.detail) }
    }
}

/// All violations in a body, in the order found: at most [`Violations::MAX`], and the number of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    listed: Vec<Violation>,
    unlisted: usize,
}

impl Violations {
    /// Most violations listed: keeps the response to a hostile body small enough to store and send.
    pub const MAX: usize = 100;

    /// Adds a violation, unless one with the same pointer is listed.
    pub fn push(&mut self, violation: Violation) {
        if self.listed.iter().any(|known| known.pointer == violation.pointer) {
            return;
        }
        if self.listed.len() < Self::MAX {
            self.listed.push(violation);
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds all of `other`, as [`Violations::push`] does.
    pub fn extend(&mut self, other: Self) {
        self.unlisted += other.unlisted;
        for violation in other.listed {
            self.push(violation);
        }
    }

    /// Whether there are no violations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The listed violations.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.listed.iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self { listed: vec![violation], unlisted: 0 }
    }
}

/// In one line, separated by `; `.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.listed.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        if self.unlisted > 0 {
            write!(f, "; and {} more", self.unlisted)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_each_pointer_once() {
        let mut violations = Violations::from(Violation::new("/note", "must be a string"));

        violations.push(Violation::new("/note", "is required"));

        assert_eq!(violations.to_string(), "/note: must be a string");
    }

    #[test]
    fn counts_violations_that_it_does_not_list() {
        let mut violations = Violations::default();

        for index in 0..Violations::MAX + 3 {
            violations.push(Violation::new(format!("/items/{index}"), "is wrong"));
        }

        assert_eq!(violations.iter().count(), Violations::MAX);
        assert!(violations.to_string().ends_with("; and 3 more"));
    }
}
