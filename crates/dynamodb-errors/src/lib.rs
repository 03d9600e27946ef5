//! From errors of Amazon DynamoDB to the errors of every repository port, in one place.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use shared_kernel::RepositoryError;
use std::error::Error as StdError;

/// Error codes of DynamoDB that mean "too much at once". [`TRANSACTION_CONFLICT`] is one of them.
/// Source: Amazon DynamoDB Developer Guide, "Error handling with DynamoDB".
const THROTTLING_CODES: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
    TRANSACTION_CONFLICT,
];

/// The error code of a single write that met a transaction on the same item. Nothing was written. Source: as above.
pub const TRANSACTION_CONFLICT: &str = "TransactionConflictException";

/// Error codes of DynamoDB that are its own fault. Source: as above.
const FAULT_CODES: [&str; 2] = ["InternalServerError", "ServiceUnavailable"];

/// A condition failed, and the answer lacks the item that failed it. DynamoDB always adds the item where the request asks for
/// it; older emulators do not (DynamoDB Local before 2.2.0), and a proxy may drop it. So the outcome is unknown, and the request
/// may be repeated. Reading the item instead would take a permission that functions which only write do not have.
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// What a failed request means to the caller of a port.
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
            // An undecided condition; a fault; or an answer without a code, which is not from DynamoDB's own front.
            _ => RepositoryError::Unavailable,
        },
        SdkError::ConstructionFailure(_) => RepositoryError::Refused,
        _ => RepositoryError::Unavailable,
    };
    classify(Box::new(error))
}
