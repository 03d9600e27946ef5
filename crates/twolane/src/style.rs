//! Colour and escape sequences on terminals.

use std::ffi::OsStr;
use std::io::IsTerminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
}

/// The meaning of a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    /// Cancelled or rejected.
    NotConfirmed,
    /// No outcome.
    Bad,
    Faint,
}

impl Style {
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false };

    /// Coloured on a terminal, unless it is dumb or `NO_COLOR` is set. See <https://no-color.org>.
    pub(crate) fn for_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: takes_escapes(&std::io::stdout()) && !refused }
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::NotConfirmed => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
        };
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Whether it is a terminal that takes escape sequences. A dumb one, such as Emacs's shell, does not.
pub(crate) fn takes_escapes(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !is_dumb(std::env::var_os("TERM").as_deref())
}

fn is_dumb(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_named_dumb_is_dumb() {
        assert!(is_dumb(Some(OsStr::new("dumb"))));
        assert!(![None, Some(""), Some("xterm-256color")].into_iter().any(|term| is_dumb(term.map(OsStr::new))));
    }

    #[test]
    fn colours_only_if_enabled() {
        assert_eq!(Style::PLAIN.paint(Tone::Good, "x"), "x");
        assert_eq!(Style { colour: true }.paint(Tone::Good, "x"), "\x1b[32mx\x1b[0m");
    }
}
