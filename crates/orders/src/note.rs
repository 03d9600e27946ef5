/// Free text from the customer: at most [`Note::MAX_CHARS`] characters, without U+FFFD, U+FFFE and U+FFFF. These show
/// that the text was damaged on its way: see `docs/decisions/0006-damaged-text.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// In Unicode scalar values.
    pub const MAX_CHARS: usize = 500;
    pub(crate) const RULE: &'static str = "must be at most 500 characters, without U+FFFD, U+FFFE or U+FFFF";

    /// `None` if the text is too long or contains one of the three characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let acceptable =
            text.chars().count() <= Self::MAX_CHARS && !text.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']);
        acceptable.then(|| Self(text.to_owned()))
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_and_not_bytes() {
        let longest = "😀".repeat(500);

        assert_eq!(Note::parse(&longest).as_ref().map(Note::as_str), Some(longest.as_str()));
        assert_eq!(Note::parse(&"😀".repeat(501)), None);
    }

    #[test]
    fn refuses_characters_that_the_queue_replaces_or_that_mark_damage() {
        for text in ["a\u{FFFD}", "\u{FFFE}", "a\u{FFFF}b"] {
            assert_eq!(Note::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn keeps_control_characters_quotes_and_an_empty_text() {
        for text in ["", "\0\u{1}\t\r\n\"'\\", "&DelaySeconds=900"] {
            assert_eq!(Note::parse(text).as_ref().map(Note::as_str), Some(text));
        }
    }
}
