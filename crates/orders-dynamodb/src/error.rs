pub(crate) use dynamodb_errors::repository_error;
