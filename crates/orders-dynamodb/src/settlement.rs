//! Votes and deadlines: conditional updates of the orders table.

use crate::{
    DynamoDbOrderRepository,
    error::repository_error,
    order_record::{OrderRecord, VoteRecord},
};
use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use orders::{
    Ballot, Deadline, Decider, Fingerprint, Order, OrderId, Outcome, Owner, RepositoryError, SettleOutcome,
    SettlementRepository, Status, Step, Timestamp, UNPUBLISHED_REASON, Vote,
};

/// One conditional update each, except that the last `held` vote takes two. An update cannot choose by a condition what
/// it sets, and most `held` votes are not the last.
impl SettlementRepository for DynamoDbOrderRepository {
    async fn vote(&self, ballot: &Ballot) -> Result<SettleOutcome, RepositoryError> {
        match &ballot.vote {
            Vote::Held => {
                let outcome = self.vote_update(ballot)?.unless_others_hold(ballot.step).send().await?;
                let SettleOutcome::Unchanged(order) = &outcome else { return Ok(outcome) };
                if !is_last(order, ballot) {
                    return Ok(outcome);
                }
                // Votes never change. If this update fails, too, the order is decided.
                let update = self.vote_update(ballot)?.if_others_hold(ballot.step).mark_if(ballot.last_attempt);
                update.decide(Status::Confirmed, Decider::Step(ballot.step), "confirmedAt", ballot.now).send().await
            }
            Vote::Refused(reason) | Vote::Failed(reason) => {
                let update = self.vote_update(ballot)?.because(reason).mark_if(ballot.last_attempt);
                update.decide(Status::Cancelled, Decider::Step(ballot.step), "cancelledAt", ballot.now).send().await
            }
        }
    }

    async fn cancel_overdue(&self, deadline: &Deadline) -> Result<SettleOutcome, RepositoryError> {
        let update = self.update(&deadline.owner, &deadline.id, deadline.fingerprint).because(&deadline.reason());
        let update = update.mark_if(deadline.last_attempt);
        update.decide(Status::Cancelled, Decider::Deadline, "cancelledAt", deadline.now).send().await
    }

    async fn cancel_unpublished(&self, order: &Order, now: Timestamp) -> Result<SettleOutcome, RepositoryError> {
        let update = self.update(&order.owner, &order.id, order.fingerprint).unless_any_voted();
        let update = update.because(UNPUBLISHED_REASON).mark_if(true);
        update.decide(Status::Cancelled, Decider::Submission, "cancelledAt", now).send().await
    }

    async fn mark_unpublished(&self, order: &Order) -> Result<(), RepositoryError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(OrderRecord::key(&order.owner, &order.id)))
            .update_expression("SET #unpublished = :true")
            .condition_expression("requestHash = :hash")
            .expression_attribute_names("#unpublished", UNPUBLISHED)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":hash", text(order.fingerprint.to_string()));
        update.send().await.map(|_| ()).map_err(repository_error)
    }
}

/// Marks an order if its decision was perhaps not published.
const UNPUBLISHED: &str = "unpublished";

/// Whether the vote counts and decides.
fn is_last(order: &Order, ballot: &Ballot) -> bool {
    let Outcome::Placed { votes, .. } = &order.outcome else { return false };
    order.fingerprint == ballot.fingerprint && votes.of(ballot.step).is_none() && votes.await_only(ballot.step)
}

impl DynamoDbOrderRepository {
    /// An update of a placed order with that fingerprint.
    fn update(&self, owner: &Owner, id: &OrderId, fingerprint: Fingerprint) -> Update {
        let request = self
            .client
            .update_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(OrderRecord::key(owner, id)))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":placed", text(Status::Placed.name()))
            .expression_attribute_values(":hash", text(fingerprint.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let conditions = vec!["#status = :placed".to_owned(), "requestHash = :hash".to_owned()];
        Update { request, conditions, sets: Vec::new(), decides: false }
    }

    /// Records a vote of a step that has not voted.
    fn vote_update(&self, ballot: &Ballot) -> Result<Update, RepositoryError> {
        let vote = serde_dynamo::to_attribute_value(VoteRecord::from(&ballot.vote))
            .map_err(|error| RepositoryError::Refused(error.into()))?;
        let mut update = self.update(&ballot.owner, &ballot.id, ballot.fingerprint);
        update.conditions.push("attribute_not_exists(#steps.#step)".to_owned());
        update.sets.push("#steps.#step = :vote".to_owned());
        update.request = update
            .request
            .expression_attribute_names("#steps", "steps")
            .expression_attribute_names("#step", ballot.step.name())
            .expression_attribute_values(":vote", vote);
        Ok(update)
    }
}

struct Update {
    request: UpdateItemFluentBuilder,
    conditions: Vec<String>,
    sets: Vec<String>,
    decides: bool,
}

impl Update {
    const OTHERS_HOLD: &'static str = "#steps.#one.#vote = :held AND #steps.#other.#vote = :held";

    /// Only while another step does not hold.
    fn unless_others_hold(mut self, step: Step) -> Self {
        self.conditions.push(format!("NOT ({})", Self::OTHERS_HOLD));
        self.name_others(step)
    }

    /// Only if every other step holds.
    fn if_others_hold(mut self, step: Step) -> Self {
        self.conditions.push(Self::OTHERS_HOLD.to_owned());
        self.name_others(step)
    }

    fn name_others(mut self, step: Step) -> Self {
        let others = Step::ALL.into_iter().filter(|other| *other != step);
        for (name, other) in ["#one", "#other"].into_iter().zip(others) {
            self.request = self.request.expression_attribute_names(name, other.name());
        }
        self.request = self
            .request
            .expression_attribute_names("#vote", "vote")
            .expression_attribute_values(":held", text(Vote::Held.name()));
        self
    }

    /// Only while no step has voted.
    fn unless_any_voted(mut self) -> Self {
        self.request = self.request.expression_attribute_names("#steps", "steps");
        for step in Step::ALL {
            let name = format!("#{step}");
            self.conditions.push(format!("attribute_not_exists(#steps.{name})"));
            self.request = self.request.expression_attribute_names(name, step.name());
        }
        self
    }

    /// Marks the order in the same write, if `is_marked`.
    fn mark_if(mut self, is_marked: bool) -> Self {
        if is_marked {
            self.sets.push("#unpublished = :true".to_owned());
            self.request = self
                .request
                .expression_attribute_names("#unpublished", UNPUBLISHED)
                .expression_attribute_values(":true", AttributeValue::Bool(true));
        }
        self
    }

    fn because(mut self, reason: &str) -> Self {
        self.sets.push("#reason = :reason".to_owned());
        self.request = self
            .request
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_values(":reason", text(reason));
        self
    }

    fn decide(mut self, status: Status, by: Decider, moment_attribute: &str, now: Timestamp) -> Self {
        self.sets.push(format!("#status = :status, decidedBy = :by, {moment_attribute} = :now"));
        self.request = self
            .request
            .expression_attribute_values(":status", text(status.name()))
            .expression_attribute_values(":by", text(by.name()))
            .expression_attribute_values(":now", text(now.to_string()))
            .return_values(ReturnValue::AllNew);
        self.decides = true;
        self
    }

    /// The response contains the order if the condition failed, or if the update decides.
    async fn send(self) -> Result<SettleOutcome, RepositoryError> {
        let (condition, sets) = (self.conditions.join(" AND "), format!("SET {}", self.sets.join(", ")));
        match self.request.condition_expression(condition).update_expression(sets).send().await {
            Ok(_) if !self.decides => Ok(SettleOutcome::Recorded),
            Ok(written) => {
                let item = written
                    .attributes
                    .ok_or_else(|| RepositoryError::Unavailable("the response lacks the item".into()))?;
                OrderRecord::read(item).map(SettleOutcome::Decided)
            }
            Err(error) => match error.as_service_error() {
                // A response without the item does not say whether one exists. The caller repeats the request either
                // way.
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match failed.item.clone() {
                    Some(item) if item.contains_key(UNPUBLISHED) => {
                        OrderRecord::read(item).map(SettleOutcome::Unpublished)
                    }
                    Some(item) => OrderRecord::read(item).map(SettleOutcome::Unchanged),
                    None => Ok(SettleOutcome::Missing),
                },
                _ => Err(repository_error(error)),
            },
        }
    }
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use dynamodb_fake::{Requests, client, table};
    use orders::{OrderRepository, fakes};
    use serde_json::json;

    fn repository() -> (DynamoDbOrderRepository, Requests) {
        let (client, requests) = table([]);
        (DynamoDbOrderRepository::new(client, "orders", None), requests)
    }

    #[tokio::test]
    async fn keeps_the_rules_of_the_port() {
        fakes::check_settlements(|| repository().0).await;
    }

    #[tokio::test]
    async fn writes_each_vote_once_the_last_held_vote_at_most_twice_and_reads_nothing() {
        let (orders, requests) = repository();
        orders.store(&fakes::placed()).await.expect("it is stored");

        let mut updates = Vec::new();
        for step in [Step::Payment, Step::Stock, Step::Shipment] {
            orders.vote(&fakes::ballot(step, Vote::Held)).await.expect("it is counted");
            let requests = std::mem::take(&mut *requests.lock().expect("no test panicked"));
            assert!(requests.iter().all(|request| request["Operation"] != "GetItem"));
            updates.push(requests.iter().filter(|request| request["Operation"] == "UpdateItem").count());
        }
        orders.vote(&fakes::ballot(Step::Stock, Vote::Refused("no".into()))).await.expect("it is read");
        orders.cancel_overdue(&fakes::deadline()).await.expect("it is read");

        assert_eq!(updates, [1, 1, 2]);
        assert_eq!(requests.lock().expect("no test panicked").len(), 2);
    }

    #[tokio::test]
    async fn a_deadline_between_the_two_writes_of_the_last_vote_decides() {
        let (orders, requests) = repository();
        orders.store(&fakes::placed()).await.expect("it is stored");
        for step in [Step::Payment, Step::Stock] {
            orders.vote(&fakes::ballot(step, Vote::Held)).await.expect("it is counted");
        }
        let ballot = fakes::ballot(Step::Shipment, Vote::Held);
        let first = orders.vote_update(&ballot).expect("a vote").unless_others_hold(ballot.step).send().await;
        assert!(matches!(first, Ok(SettleOutcome::Unchanged(_))), "{first:?}");
        orders.cancel_overdue(&fakes::deadline()).await.expect("it is cancelled");

        let update = orders.vote_update(&ballot).expect("a vote").if_others_hold(ballot.step);
        let second = update.decide(Status::Confirmed, Decider::Step(ballot.step), "confirmedAt", ballot.now).send();

        let Ok(SettleOutcome::Unchanged(order)) = second.await else { panic!("the deadline decided") };
        assert_eq!(order.decided_by(), Some(Decider::Deadline));
        assert_eq!(requests.lock().expect("no test panicked").len(), 6);
    }

    #[tokio::test]
    async fn distinguishes_throttles_faults_and_refusals() {
        type Check = fn(&RepositoryError) -> bool;
        let cases: [(u16, &str, Check); 3] = [
            (400, "ThrottlingException", |error| matches!(error, RepositoryError::Throttled(_))),
            (500, "InternalServerError", |error| matches!(error, RepositoryError::Unavailable(_))),
            (400, "AccessDeniedException", |error| matches!(error, RepositoryError::Refused(_))),
        ];
        for (status, code, expected) in cases {
            let answer = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}")}).to_string();
            let http_client = infallible_client_fn(move |_| {
                http::Response::builder().status(status).body(answer.clone()).expect("a response")
            });
            let orders = DynamoDbOrderRepository::new(client(http_client), "orders", None);

            let vote = orders.vote(&fakes::ballot(Step::Stock, Vote::Held)).await.expect_err("DynamoDB refused");
            let deadline = orders.cancel_overdue(&fakes::deadline()).await.expect_err("DynamoDB refused");

            assert!(expected(&vote), "{code}: {vote:?}");
            assert!(expected(&deadline), "{code}: {deadline:?}");
        }
    }
}
