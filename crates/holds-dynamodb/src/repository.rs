use crate::{
    conflict::{WriteError, retry_conflicts},
    hold_record::{AVAILABLE, HoldRecord, Item, counter_pk, read_counter},
    in_flight::InFlight,
    transaction::failed_conditions,
};
use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{
        AttributeValue, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
        builders::UpdateBuilder,
    },
};
use dynamodb_errors::repository_error;
use holds::{Claim, CounterKey, Hold, HoldKey, HoldRepository, HoldState, RefuseOutcome, Shortage, TakeOutcome};
use shared_kernel::{RepositoryError, Timestamp};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Keeps holds and counters in a table with the string partition key `pk`.
///
/// Writing needs `dynamodb:PutItem` and `dynamodb:UpdateItem` on the table; reading needs `dynamodb:GetItem`.
#[derive(Clone, Debug)]
pub struct DynamoDbHoldRepository {
    client: Client,
    table_name: String,
    retention: Option<Duration>,
    in_flight: Arc<InFlight>,
}

impl DynamoDbHoldRepository {
    /// Keeps holds in `table_name` for `retention` after they were created; `None` keeps them for ever. Counters and
    /// HELD holds never expire: the claims of a HELD hold would be lost.
    #[must_use]
    pub fn new(client: Client, table_name: impl Into<String>, retention: Option<Duration>) -> Self {
        Self { client, table_name: table_name.into(), retention, in_flight: Arc::default() }
    }

    fn item(&self, key: &HoldKey, hold: &Hold) -> Result<Item, RepositoryError> {
        HoldRecord::item(key, hold, self.keep_until(hold.created_at))
    }

    fn keep_until(&self, created_at: Timestamp) -> Option<Timestamp> {
        self.retention.map(|retention| created_at.plus(retention))
    }

    /// Sets the state `:end`. A hold that was created without a retention expires one retention from now.
    fn end_expression(&self) -> &'static str {
        if self.retention.is_some() {
            "SET #state = :end, expiresAt = if_not_exists(keepUntil, :expiresAt)"
        } else {
            "SET #state = :end"
        }
    }

    /// The values of [`Self::end_expression`].
    fn end_values(&self, end: &HoldState, now: Timestamp) -> HashMap<String, AttributeValue> {
        let expires_at = self.keep_until(now).map(|moment| AttributeValue::N(moment.unix_seconds().to_string()));
        let states = [(":end", end.name()), (":held", HoldState::Held.name())];
        let states = states.map(|(name, state)| (name.to_owned(), AttributeValue::S(state.to_owned())));
        states.into_iter().chain(expires_at.map(|value| (":expiresAt".to_owned(), value))).collect()
    }

    async fn take_once(&self, key: &HoldKey, hold: &Hold, initial: u64) -> Result<TakeOutcome, WriteError> {
        let put = Put::builder()
            .table_name(&self.table_name)
            .set_item(Some(self.item(key, hold)?))
            .condition_expression(ABSENT)
            .expression_attribute_values(":now", now_in_seconds())
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .expect("the table and the item are set");
        let put = TransactWriteItem::builder().put(put).build();
        let updates = hold.claims.iter().map(|claim| self.taking(claim, initial));
        let transaction = self.client.transact_write_items();
        let written = transaction.set_transact_items(Some([put].into_iter().chain(updates).collect())).send().await;

        let Err(error) = written else { return Ok(TakeOutcome::Taken) };
        let failed = failed_conditions(error)?;
        match failed.get(0) {
            Some(Some(item)) => return Ok(TakeOutcome::Exists(HoldRecord::read(item.clone())?)),
            Some(None) => {
                return Err(RepositoryError::Unavailable("the response lacks the existing hold".into()).into());
            }
            None => {}
        }
        let mut shortages = Vec::new();
        for (index, claim) in hold.claims.iter().enumerate() {
            if let Some(item) = failed.get(index + 1) {
                let available = item.as_ref().map_or(Ok(initial), read_counter)?;
                shortages.push(Shortage { claim: claim.clone(), available });
            }
        }
        Ok(TakeOutcome::Short(shortages))
    }

    /// A counter without a record has `initial`.
    fn taking(&self, claim: &Claim, initial: u64) -> TransactWriteItem {
        let condition = if initial >= claim.amount {
            "attribute_not_exists(#available) OR #available >= :amount"
        } else {
            "#available >= :amount"
        };
        let update = self
            .of_counter(claim)
            .update_expression("SET #available = if_not_exists(#available, :initial) - :amount")
            .condition_expression(condition)
            .expression_attribute_values(":initial", AttributeValue::N(initial.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        transact(update)
    }

    /// Undoes a hold and gives back its claims, while it is HELD.
    async fn give_back(&self, key: &HoldKey, claims: &[Claim], now: Timestamp) -> Result<(), WriteError> {
        let undo = Update::builder()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(key.as_str().to_owned()))
            .update_expression(self.end_expression())
            .condition_expression("#state = :held")
            .expression_attribute_names("#state", "state")
            .set_expression_attribute_values(Some(self.end_values(&HoldState::Undone, now)))
            .return_values_on_condition_check_failure(AllOld);
        let adding = |claim| transact(self.of_counter(claim).update_expression("ADD #available :amount"));
        let actions = [transact(undo)].into_iter().chain(claims.iter().map(adding));
        let written = self.client.transact_write_items().set_transact_items(Some(actions.collect())).send().await;

        let Err(error) = written else { return Ok(()) };
        // Only the hold has a condition. It fails if another delivery undid the hold, or the hold is final.
        failed_conditions(error).map(|_| ())
    }

    fn of_counter(&self, claim: &Claim) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table_name)
            .key("pk", counter_pk(&claim.counter))
            .expression_attribute_names("#available", AVAILABLE)
            .expression_attribute_values(":amount", AttributeValue::N(claim.amount.to_string()))
    }

    /// Records a hold that takes nothing, or returns the existing one.
    async fn put_if_absent(&self, key: &HoldKey, hold: &Hold) -> Result<Option<Hold>, WriteError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table_name)
            .set_item(Some(self.item(key, hold)?))
            .condition_expression(ABSENT)
            .expression_attribute_values(":now", now_in_seconds())
            .return_values_on_condition_check_failure(AllOld);
        let Err(error) = put.send().await else { return Ok(None) };
        let existing = error.as_service_error().and_then(|error| match error {
            PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
            _ => None,
        });
        match existing {
            Some(item) => Ok(Some(HoldRecord::read(item)?)),
            None => Err(WriteError::new(error)),
        }
    }

    async fn confirm_once(&self, key: &HoldKey, now: Timestamp) -> Result<(), WriteError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(key.as_str().to_owned()))
            .update_expression(self.end_expression())
            .condition_expression("#state = :held")
            .expression_attribute_names("#state", "state")
            .set_expression_attribute_values(Some(self.end_values(&HoldState::Done, now)))
            .return_values_on_condition_check_failure(AllOld);
        let Err(error) = update.send().await else { return Ok(()) };
        let existing = error.as_service_error().and_then(|error| match error {
            UpdateItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
            _ => None,
        });
        let Some(item) = existing else { return Err(WriteError::new(error)) };
        match HoldRecord::read(item)?.state {
            HoldState::Done => Ok(()),
            state => {
                let detail = format!("the hold is {}, so it cannot be confirmed", state.name());
                Err(RepositoryError::Refused(detail.into()).into())
            }
        }
    }

    async fn get(&self, pk: AttributeValue) -> Result<Option<Item>, RepositoryError> {
        let get = self.client.get_item().table_name(&self.table_name).key("pk", pk).consistent_read(true);
        Ok(get.send().await.map_err(repository_error)?.item)
    }
}

/// An expired hold counts as absent: DynamoDB may delete it days later.
/// Source: Amazon DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB".
const ABSENT: &str = "attribute_not_exists(pk) OR expiresAt < :now";

fn now_in_seconds() -> AttributeValue {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    AttributeValue::N(since_epoch.as_secs().to_string())
}

fn transact(update: UpdateBuilder) -> TransactWriteItem {
    let update = update.build().expect("the table, the key and the expression are set");
    TransactWriteItem::builder().update(update).build()
}

impl HoldRepository for DynamoDbHoldRepository {
    /// Always one transaction. A failed condition returns its item.
    async fn take(&self, key: &HoldKey, hold: &Hold, initial: u64) -> Result<TakeOutcome, RepositoryError> {
        let _reserved = self.in_flight.reserve(&hold.claims).await;
        retry_conflicts(|| self.take_once(key, hold, initial)).await
    }

    async fn refuse(&self, key: &HoldKey, hold: &Hold) -> Result<RefuseOutcome, RepositoryError> {
        let existing = retry_conflicts(|| self.put_if_absent(key, hold)).await?;
        Ok(existing.map_or(RefuseOutcome::Refused, RefuseOutcome::Exists))
    }

    async fn confirm(&self, key: &HoldKey, now: Timestamp) -> Result<(), RepositoryError> {
        retry_conflicts(|| self.confirm_once(key, now)).await
    }

    async fn undo(&self, key: &HoldKey, now: Timestamp) -> Result<(), RepositoryError> {
        let undone = Hold { state: HoldState::Undone, claims: Vec::new(), created_at: now };
        let existing = retry_conflicts(|| self.put_if_absent(key, &undone)).await?;
        match existing {
            Some(hold) if hold.state == HoldState::Held => {
                let _reserved = self.in_flight.reserve(&hold.claims).await;
                retry_conflicts(|| self.give_back(key, &hold.claims, now)).await
            }
            _ => Ok(()),
        }
    }

    async fn find(&self, key: &HoldKey) -> Result<Option<Hold>, RepositoryError> {
        let item = self.get(AttributeValue::S(key.as_str().to_owned())).await?;
        item.map(HoldRecord::read).transpose()
    }

    async fn available(&self, counter: &CounterKey) -> Result<Option<u64>, RepositoryError> {
        let item = self.get(counter_pk(counter)).await?;
        item.as_ref().map(read_counter).transpose()
    }
}

#[cfg(test)]
mod tests;
