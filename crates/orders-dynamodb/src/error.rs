//! Converts AWS errors to the port's errors.

pub(crate) use dynamodb_errors::repository_error;
