//! Text that is safe for terminals and pages.

/// Replaces control and direction-changing characters: no text can move the cursor or rewrite the output.
#[must_use]
pub fn printable(text: &str) -> String {
    let odd = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|character| if odd(character) { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_control_characters() {
        assert_eq!(printable("a\x1b[2Jb\r\u{202e}é😀"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}é😀");
    }
}
