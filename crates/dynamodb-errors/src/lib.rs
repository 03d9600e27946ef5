//! Converts errors of Amazon DynamoDB to the errors of the repository ports.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use shared_kernel::RepositoryError;
use std::error::Error as StdError;

/// Codes for throttles. Source: Amazon DynamoDB Developer Guide, "Error handling with DynamoDB".
const THROTTLING_CODES: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
    TRANSACTION_CONFLICT,
];

/// A single write conflicted with a transaction on the same item. Nothing was written. Source: as above.
pub const TRANSACTION_CONFLICT: &str = "TransactionConflictException";

/// Codes for server faults. Source: as above.
const FAULT_CODES: [&str; 2] = ["InternalServerError", "ServiceUnavailable"];

/// A condition failed, and the response lacks the item that the request asked for. DynamoDB Local before 2.2.0 omits
/// it, and a proxy may drop it. The result is unknown, and the caller may repeat the request. Write-only functions may
/// not read the item instead.
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// Converts the error of a failed request.
pub fn repository_error<E, R>(error: SdkError<E, R>) -> RepositoryError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: RequestId,
{
    let classify = match &error {
        SdkError::ServiceError(context) => match context.err().code() {
            Some(code) if THROTTLING_CODES.contains(&code) => RepositoryError::Throttled,
            Some(code) if code != CONDITION_FAILED && !FAULT_CODES.contains(&code) => RepositoryError::Refused,
            // A failed condition without its item, a server fault, or a response without a code, such as a proxy's.
            _ => RepositoryError::Unavailable,
        },
        SdkError::ConstructionFailure(_) => RepositoryError::Refused,
        _ => RepositoryError::Unavailable,
    };
    classify(Box::new(error))
}
