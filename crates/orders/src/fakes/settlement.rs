use super::{Flaky, InMemoryOrders, Refusing, Unavailable, lock, unavailable};
use crate::{
    Ballot, Cancellation, Deadline, Decider, Fingerprint, Order, OrderContent, OrderId, Outcome, Owner,
    RepositoryError, SettleOutcome, SettlementRepository, Timestamp, UNPUBLISHED_REASON, Vote, Votes,
};

impl InMemoryOrders {
    /// Sets the order's outcome to the result of `change`, if it is placed and has that fingerprint.
    fn settle(
        &self,
        owner: &Owner,
        id: OrderId,
        fingerprint: Fingerprint,
        change: impl FnOnce(OrderContent, Votes) -> Option<Outcome>,
    ) -> SettleOutcome {
        let mut orders = lock(&self.orders);
        let Some(order) = orders.iter_mut().find(|order| order.owner == *owner && order.id == id) else {
            return SettleOutcome::Missing;
        };
        let outcome = match &order.outcome {
            Outcome::Placed { content, votes } if order.fingerprint == fingerprint => {
                change(content.clone(), votes.clone())
            }
            _ => None,
        };
        let Some(outcome) = outcome else {
            let is_unpublished = lock(&self.unpublished).contains(&(owner.clone(), id));
            let answer = if is_unpublished { SettleOutcome::Unpublished } else { SettleOutcome::Unchanged };
            return answer(order.clone());
        };
        order.outcome = outcome;
        match order.outcome {
            Outcome::Placed { .. } => SettleOutcome::Recorded,
            _ => SettleOutcome::Decided(order.clone()),
        }
    }
}

impl InMemoryOrders {
    fn mark(&self, order: &Order) {
        lock(&self.unpublished).push((order.owner.clone(), order.id));
    }

    fn mark_if(&self, is_marked: bool, outcome: &SettleOutcome) {
        if let (true, SettleOutcome::Decided(order)) = (is_marked, outcome) {
            self.mark(order);
        }
    }
}

impl SettlementRepository for InMemoryOrders {
    async fn vote(&self, ballot: &Ballot) -> Result<SettleOutcome, RepositoryError> {
        let Ballot { owner, id, fingerprint, step, vote, now, last_attempt } = ballot.clone();
        let outcome = self.settle(&owner, id, fingerprint, |content, votes| {
            if votes.of(step).is_some() {
                return None;
            }
            let is_last = votes.await_only(step);
            let votes = votes.iter().map(|(step, vote)| (step, vote.clone())).chain([(step, vote.clone())]).collect();
            Some(match vote {
                Vote::Held if is_last => Outcome::Confirmed { content, confirmed_at: now, last_vote: Some(step) },
                Vote::Held => Outcome::Placed { content, votes },
                Vote::Refused(reason) | Vote::Failed(reason) => {
                    let decided_by = Decider::Step(step);
                    cancelled(content, Cancellation { votes, decided_by, reason, cancelled_at: now })
                }
            })
        });
        self.mark_if(last_attempt, &outcome);
        Ok(outcome)
    }

    async fn cancel_overdue(&self, deadline: &Deadline) -> Result<SettleOutcome, RepositoryError> {
        let Deadline { owner, id, fingerprint, now, last_attempt, .. } = deadline;
        let outcome = self.settle(owner, *id, *fingerprint, |content, votes| {
            let (decided_by, reason) = (Decider::Deadline, deadline.reason());
            Some(cancelled(content, Cancellation { votes, decided_by, reason, cancelled_at: *now }))
        });
        self.mark_if(*last_attempt, &outcome);
        Ok(outcome)
    }

    async fn cancel_unpublished(&self, order: &Order, now: Timestamp) -> Result<SettleOutcome, RepositoryError> {
        let outcome = self.settle(&order.owner, order.id, order.fingerprint, |content, votes| {
            let (decided_by, reason) = (Decider::Submission, UNPUBLISHED_REASON.to_owned());
            let has_votes = votes.iter().next().is_some();
            (!has_votes).then(|| cancelled(content, Cancellation { votes, decided_by, reason, cancelled_at: now }))
        });
        self.mark_if(true, &outcome);
        Ok(outcome)
    }

    async fn mark_unpublished(&self, order: &Order) -> Result<(), RepositoryError> {
        self.mark(order);
        Ok(())
    }
}

fn cancelled(content: OrderContent, cancellation: Cancellation) -> Outcome {
    Outcome::Cancelled { content, cancellation: Box::new(cancellation) }
}

impl SettlementRepository for Unavailable {
    async fn vote(&self, _: &Ballot) -> Result<SettleOutcome, RepositoryError> {
        Err(unavailable())
    }

    async fn cancel_overdue(&self, _: &Deadline) -> Result<SettleOutcome, RepositoryError> {
        Err(unavailable())
    }

    async fn cancel_unpublished(&self, _: &Order, _: Timestamp) -> Result<SettleOutcome, RepositoryError> {
        Err(unavailable())
    }

    async fn mark_unpublished(&self, _: &Order) -> Result<(), RepositoryError> {
        Err(unavailable())
    }
}

impl SettlementRepository for Refusing {
    async fn vote(&self, _: &Ballot) -> Result<SettleOutcome, RepositoryError> {
        Err(RepositoryError::Refused("not allowed".into()))
    }

    async fn cancel_overdue(&self, _: &Deadline) -> Result<SettleOutcome, RepositoryError> {
        Err(RepositoryError::Refused("not allowed".into()))
    }

    async fn cancel_unpublished(&self, _: &Order, _: Timestamp) -> Result<SettleOutcome, RepositoryError> {
        Err(RepositoryError::Refused("not allowed".into()))
    }

    async fn mark_unpublished(&self, _: &Order) -> Result<(), RepositoryError> {
        Err(RepositoryError::Refused("not allowed".into()))
    }
}

impl SettlementRepository for Flaky {
    async fn vote(&self, ballot: &Ballot) -> Result<SettleOutcome, RepositoryError> {
        self.failing(async || self.inner().vote(ballot).await).await
    }

    async fn cancel_overdue(&self, deadline: &Deadline) -> Result<SettleOutcome, RepositoryError> {
        self.failing(async || self.inner().cancel_overdue(deadline).await).await
    }

    async fn cancel_unpublished(&self, order: &Order, now: Timestamp) -> Result<SettleOutcome, RepositoryError> {
        self.failing(async || self.inner().cancel_unpublished(order, now).await).await
    }

    async fn mark_unpublished(&self, order: &Order) -> Result<(), RepositoryError> {
        self.failing(async || self.inner().mark_unpublished(order).await).await
    }
}
