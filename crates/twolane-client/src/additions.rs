//! Additions to counters, permanent or temporary. Unlike setting a counter, an addition keeps what orders take
//! meanwhile.
//!
//! A temporary addition writes a mark to the same table in the same transaction; taking it back deletes the mark. So
//! each happens once, however often it is tried.

use crate::{
    aws::describe,
    counters::{AVAILABLE, Counter, Counters, partition_key},
};
use anyhow::{Context, bail};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{delete_item::DeleteItemError, transact_write_items::TransactWriteItemsError as Error},
    types::{AttributeValue, CancellationReason, Delete, Put, TransactWriteItem, Update, builders::UpdateBuilder},
};
use std::time::Duration;

/// Attempts at a conflicting transaction, and the delay before the second. The delay doubles.
const ATTEMPTS: u32 = 8;
const FIRST_DELAY: Duration = Duration::from_millis(25);

/// Cancellation reasons. Source: Amazon DynamoDB API Reference, `TransactWriteItems`, `TransactionCanceledException`.
const NONE: &str = "None";
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const PASSING: [&str; 3] = ["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"];

#[derive(Debug)]
enum Written {
    All,
    /// Per action: whether its condition failed.
    Nothing(Vec<bool>),
}

/// The result of taking back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenBack {
    /// It is taken back, or did not exist.
    Yes,
    /// The counter has less: nothing was changed.
    TooLittleThere,
}

impl Counters {
    /// Adds to a counter or takes from it; creates a missing one. Returns what is available then.
    ///
    /// # Errors
    /// The counter has less: nothing was changed. Or DynamoDB refuses, does not answer, or is over its limit.
    pub async fn add(&self, key: &str, amount: i64) -> anyhow::Result<u64> {
        let update = self.update(key, amount.unsigned_abs());
        let update = if amount < 0 { taking(update) } else { adding(update) };
        // The SDK repeats unanswered requests. The token makes DynamoDB apply the transaction once.
        if matches!(self.transact(&[action(update)], key).await?, Written::Nothing(_)) {
            bail!("{key} has less than {} available in the table {}", amount.unsigned_abs(), self.table());
        }
        let available =
            self.read(&[key.to_owned()]).await.context("The amount is added, but the counter could not be read")?;
        Ok(available.get(key).copied().unwrap_or_default())
    }

    /// Adds to a counter; creates a missing one. Does nothing if this `fill` was added before.
    ///
    /// # Errors
    /// DynamoDB refuses, does not answer, or is over its limit.
    pub async fn fill(&self, fill: &str, more: &Counter) -> anyhow::Result<()> {
        let mark = Put::builder()
            .table_name(self.table())
            .item("pk", mark_key(fill, &more.key))
            .item("added", number(more.available))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        let add = adding(self.update(&more.key, more.available));
        let actions = [TransactWriteItem::builder().put(mark).build(), action(add)];
        self.transact(&actions, &more.key).await.map(drop)
    }

    /// Takes back an addition, or what is left of it.
    ///
    /// # Errors
    /// As for [`Counters::fill`].
    pub async fn take_back(&self, fill: &str, left: &Counter) -> anyhow::Result<TakenBack> {
        let mark = Delete::builder()
            .table_name(self.table())
            .key("pk", mark_key(fill, &left.key))
            .condition_expression("attribute_exists(pk)")
            .build()?;
        let take = taking(self.update(&left.key, left.available));
        let mut actions = vec![TransactWriteItem::builder().delete(mark).build()];
        actions.extend((left.available > 0).then(|| action(take)));
        Ok(match self.transact(&actions, &left.key).await? {
            Written::Nothing(failed) if failed.first() == Some(&false) => TakenBack::TooLittleThere,
            Written::All | Written::Nothing(_) => TakenBack::Yes,
        })
    }

    /// Deletes a counter with nothing available.
    ///
    /// # Errors
    /// DynamoDB refuses or does not answer.
    pub async fn delete_empty(&self, key: &str) -> anyhow::Result<()> {
        let request = self.client().delete_item().table_name(self.table());
        let request = request
            .key("pk", AttributeValue::S(partition_key(key)))
            .condition_expression("#available = :none")
            .expression_attribute_names("#available", AVAILABLE)
            .expression_attribute_values(":none", number(0));
        match request.send().await {
            Err(error)
                if !error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Err(describe(&error)).with_context(|| format!("Failed to delete {key} from the table {}", self.table()))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn update(&self, key: &str, amount: u64) -> UpdateBuilder {
        Update::builder()
            .table_name(self.table())
            .key("pk", AttributeValue::S(partition_key(key)))
            .expression_attribute_names("#available", AVAILABLE)
            .expression_attribute_values(":amount", number(amount))
    }

    async fn transact(&self, actions: &[TransactWriteItem], key: &str) -> anyhow::Result<Written> {
        let mut delay = FIRST_DELAY;
        let mut attempts = 1;
        loop {
            let request = self.client().transact_write_items().set_transact_items(Some(actions.to_vec()));
            let Err(error) = request.send().await else { return Ok(Written::All) };
            if let Some(failed) = failed_conditions(&error) {
                return Ok(Written::Nothing(failed));
            }
            if !is_passing(&error) || attempts == ATTEMPTS {
                return Err(describe(&error))
                    .with_context(|| format!("Failed to change {key} in the table {}", self.table()));
            }
            tokio::time::sleep(delay).await;
            (delay, attempts) = (delay * 2, attempts + 1);
        }
    }
}

fn mark_key(fill: &str, key: &str) -> AttributeValue {
    AttributeValue::S(format!("fill#{fill}#{key}"))
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn adding(update: UpdateBuilder) -> UpdateBuilder {
    update.update_expression("ADD #available :amount")
}

fn taking(update: UpdateBuilder) -> UpdateBuilder {
    update.condition_expression("#available >= :amount").update_expression("SET #available = #available - :amount")
}

fn action(update: UpdateBuilder) -> TransactWriteItem {
    let update = update.build().expect("the table, the key and the expression are set");
    TransactWriteItem::builder().update(update).build()
}

fn reasons<R>(error: &SdkError<Error, R>) -> &[CancellationReason] {
    match error.as_service_error() {
        Some(Error::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
        _ => &[],
    }
}

fn code(reason: &CancellationReason) -> &str {
    reason.code().unwrap_or(NONE)
}

/// Per action. `None` if anything else cancelled the transaction.
fn failed_conditions<R>(error: &SdkError<Error, R>) -> Option<Vec<bool>> {
    let reasons = reasons(error);
    let failed: Vec<bool> = reasons.iter().map(|reason| code(reason) == CONDITION_FAILED).collect();
    let is_alone = reasons.iter().all(|reason| [NONE, CONDITION_FAILED].contains(&code(reason)));
    (is_alone && failed.contains(&true)).then_some(failed)
}

fn is_passing<R>(error: &SdkError<Error, R>) -> bool {
    reasons(error).iter().any(|reason| PASSING.contains(&code(reason)))
}
