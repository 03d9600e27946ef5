//! Results on standard output.

use crate::output::Output;
use crate::progress::say;
use serde::Serialize;

/// Writes a result to standard output, or to standard error if that fails. Returns whether standard output took it.
pub(super) fn show(result: &str) -> bool {
    show_as(result, result)
}

/// Writes JSON to standard output, or the text to standard error if that fails.
pub(super) fn show_json(result: &impl Serialize, text: &str) -> bool {
    show_as(&serde_json::to_string(result).expect("it has only string keys, so it is always JSON"), text)
}

fn show_as(result: &str, text: &str) -> bool {
    let Err(error) = Output::stdout().line(result) else { return true };
    say(text);
    say(&format!("error: Failed to write to standard output: {error}"));
    false
}
