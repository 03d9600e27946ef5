use crate::{VisibilityChange, record::Record};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use std::{collections::HashSet, error::Error as StdError, fmt, time::Duration};

/// A record without a message id failed, so it cannot be reported. Return this error from the function: SQS then
/// redelivers the whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnidentifiedFailure;

impl fmt::Display for UnidentifiedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record without messageId failed, so the whole batch must be redelivered")
    }
}

impl StdError for UnidentifiedFailure {}

/// A message that SQS must redeliver.
#[derive(Debug)]
pub(crate) struct Failure {
    message_id: Option<String>,
    receipt_handle: Option<String>,
    /// The delay from now; `None` for the queue's visibility timeout.
    after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(record: &Record, after: Option<Duration>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self { message_id: owned(record.message_id()), receipt_handle: owned(record.receipt_handle()), after }
    }

    fn into_change(self) -> Option<VisibilityChange> {
        let (message_id, receipt_handle) = (self.message_id?, self.receipt_handle?);
        Some(VisibilityChange { message_id, receipt_handle, visibility_timeout: self.after? })
    }
}

/// A message that the batch holds twice is reported once.
pub(crate) fn once_each(failures: &mut Vec<Failure>) {
    let mut seen = HashSet::new();
    failures.retain(|failure| failure.message_id.as_ref().is_none_or(|id| seen.insert(id.clone())));
}

/// The response that makes SQS redeliver exactly these messages.
pub(crate) fn response(failures: &[Failure]) -> Result<SqsBatchResponse, UnidentifiedFailure> {
    let mut response = SqsBatchResponse::default();
    for failure in failures {
        let mut reported = BatchItemFailure::default();
        reported.item_identifier = failure.message_id.clone().ok_or(UnidentifiedFailure)?;
        response.batch_item_failures.push(reported);
    }
    Ok(response)
}

/// The changes for messages that have a delay and a receipt handle.
pub(crate) fn changes(failures: Vec<Failure>) -> Vec<VisibilityChange> {
    failures.into_iter().filter_map(Failure::into_change).collect()
}
