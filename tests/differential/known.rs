//! Where the emulators differ and may, each difference declared once; docs/emulators.md has the same, for people.

use crate::comparison::Found;

/// A difference that is known.
pub(crate) struct Difference {
    /// By which docs/emulators.md has it.
    pub(crate) id: &'static str,
    /// What of.
    pub(crate) what: &'static str,
    /// The names of the cases in which it shows; `*` at either end stands for anything.
    pub(crate) cases: &'static [&'static str],
    /// What differs in them.
    pub(crate) fields: &'static [Field],
    /// What AWS documents, and where.
    pub(crate) aws: &'static str,
    pub(crate) source: &'static str,
    pub(crate) right: Right,
    /// What was done about it.
    pub(crate) done: &'static str,
}

/// A field, its value on MiniStack and that on LocalStack; `*` as in the names of cases.
pub(crate) struct Field(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

/// Who does as AWS documents.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right {
    MiniStack,
    LocalStack,
    Both,
    Neither,
    /// AWS does not document it.
    Nobody,
}

impl Difference {
    /// The parts of this that tell of what was found, if it is that.
    pub(crate) fn tells_of(&self, found: &Found) -> Option<[String; 2]> {
        let case = self.cases.iter().find(|pattern| matches(pattern, &found.case))?;
        let field = self.fields.iter().find(|Field(name, ministack, localstack)| {
            matches(name, &found.field)
                && matches(ministack, &found.ministack)
                && matches(localstack, &found.localstack)
        })?;
        Some([part_of_case(case), part_of_field(field)])
    }

    /// All parts, each of which must show.
    pub(crate) fn parts(&self) -> impl Iterator<Item = String> {
        let cases = self.cases.iter().map(|case| part_of_case(case));
        cases.chain(self.fields.iter().map(part_of_field))
    }
}

fn part_of_case(pattern: &str) -> String {
    format!("the case {pattern}")
}

fn part_of_field(Field(name, ministack, localstack): &Field) -> String {
    format!("the field {name}: {ministack} on MiniStack, {localstack} on LocalStack")
}

/// Whether the text is like the pattern, in which `*` at either end stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => text.contains(rest.trim_end_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == pattern,
    }
}

/// All of them.
pub(crate) const DIFFERENCES: &[Difference] = &[];

impl std::fmt::Display for Right {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Self::MiniStack => "MiniStack",
            Self::LocalStack => "LocalStack",
            Self::Both => "both",
            Self::Neither => "neither",
            Self::Nobody => "not documented",
        })
    }
}
