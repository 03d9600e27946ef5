//! What is at the bottom of an error.

use std::error::Error;

/// What is at the bottom of an error; the layers above say where it passed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
