//! Tests through the public API.

mod any_json;
mod batches;
mod guards;
mod plan;
mod properties;
mod records;
#[cfg(feature = "aws-sdk-sqs")]
mod sqs_visibility;
