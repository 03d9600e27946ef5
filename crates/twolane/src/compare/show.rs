//! Results on standard output.

use crate::output::Output;
use crate::progress::tell;
use serde::Serialize;

/// Writes a result to standard output, and where that fails, to standard error. Whether it did not fail.
pub(super) fn show(result: &str) -> bool {
    show_as(result, result)
}

/// The same as JSON; on standard error is what people read.
pub(super) fn show_json(result: &impl Serialize, for_people: &str) -> bool {
    show_as(&serde_json::to_string(result).expect("it has only string keys, so it is always JSON"), for_people)
}

fn show_as(result: &str, for_people: &str) -> bool {
    let Err(error) = Output::stdout().line(result) else { return true };
    tell(for_people);
    tell(&format!("error: Failed to write to standard output: {error}"));
    false
}
