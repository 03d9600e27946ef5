use crate::{conflict::WriteError, hold_record::Item};
use aws_sdk_dynamodb::{
    error::SdkError, operation::transact_write_items::TransactWriteItemsError, types::CancellationReason,
};
use dynamodb_errors::repository_error;
use shared_kernel::RepositoryError;

/// Codes of cancellation reasons. Source: Amazon DynamoDB API Reference, `TransactWriteItems`,
/// `TransactionCanceledException`.
const NONE: &str = "None";
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const CONFLICT: &str = "TransactionConflict";
const THROTTLING: [&str; 2] = ["ProvisionedThroughputExceeded", "ThrottlingError"];

/// The failed conditions of a transaction, by the position of their action.
#[derive(Debug)]
pub(crate) struct FailedConditions(Vec<Option<Failed>>);

/// `None` if the item does not exist.
pub(crate) type Failed = Option<Item>;

impl FailedConditions {
    pub(crate) fn get(&self, position: usize) -> Option<&Failed> {
        self.0.get(position)?.as_ref()
    }
}

/// The failed conditions that cancelled a transaction, or the error if it failed for another reason. If the condition
/// on the hold, the first action, failed, the other actions do not matter.
pub(crate) fn failed_conditions<R>(error: SdkError<TransactWriteItemsError, R>) -> Result<FailedConditions, WriteError>
where
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<TransactWriteItemsError, R>: aws_sdk_dynamodb::operation::RequestId,
{
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Err(WriteError::new(error));
    };
    let reasons = cancelled.cancellation_reasons();
    let has = |codes: &[&str]| reasons.iter().any(|reason| codes.contains(&code(reason)));
    if reasons.first().is_some_and(|reason| code(reason) == CONDITION_FAILED) {
        return Ok(FailedConditions(vec![failed(&reasons[0])]));
    }
    if has(&[CONFLICT]) {
        return Err(WriteError::Conflict(RepositoryError::Throttled(error.into())));
    }
    if has(&THROTTLING) {
        return Err(RepositoryError::Throttled(error.into()).into());
    }
    let undecided = reasons.iter().any(|reason| ![NONE, CONDITION_FAILED].contains(&code(reason)));
    if undecided || !has(&[CONDITION_FAILED]) {
        return Err(repository_error(error).into());
    }
    Ok(FailedConditions(reasons.iter().map(failed).collect()))
}

fn code(reason: &CancellationReason) -> &str {
    reason.code().unwrap_or(NONE)
}

fn failed(reason: &CancellationReason) -> Option<Failed> {
    // Without an item, the response may have an empty map.
    (code(reason) == CONDITION_FAILED).then(|| reason.item().filter(|item| !item.is_empty()).cloned())
}
