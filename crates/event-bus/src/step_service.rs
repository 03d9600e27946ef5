use crate::{Delivery, Event, EventKind, EventPublisher, HandleError, OrderedItems};
use shared_kernel::{OrderId, Owner, RepositoryError, Step, Timestamp, Vote};
use std::{future::Future, time::Duration};

/// A service that takes part in orders: it holds what an order needs, then makes the hold final or undoes it.
///
/// Calls may be repeated, late and in any order, even after the order's end. An implementation MUST write each effect
/// in one conditional write or one transaction, identified by owner, order and step.
pub trait StepService {
    /// Which step this is.
    const STEP: Step;

    /// Holds what the order needs, or records that it cannot. A repeat MUST return what the first call recorded.
    ///
    /// If holds expire, their retention MUST count from `placed_at`, as the order's does. So an order that reuses the
    /// id of an expired one gets a new hold.
    fn hold(
        &self,
        owner: &Owner,
        id: OrderId,
        order: &OrderedItems,
        placed_at: Timestamp,
    ) -> impl Future<Output = Result<HoldOutcome, RepositoryError>> + Send;

    /// Makes the hold final.
    fn confirm(&self, owner: &Owner, id: OrderId) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Undoes the hold, and MUST keep a later `hold` of the order from taking effect.
    fn undo(&self, owner: &Owner, id: OrderId) -> impl Future<Output = Result<(), RepositoryError>> + Send;
}

/// The result of [`StepService::hold`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// Held, or made final before.
    Held,
    /// The service cannot serve the order. The owner reads this reason.
    Refused(String),
    /// The order was cancelled before. Nothing is held.
    Undone,
}

/// Handles one event for a step. If the last delivery of `order.placed` fails, the step votes `failed`, so that the
/// order does not wait for its deadline.
///
/// `deadline` is how long after it was placed an undecided order is cancelled. If `order.placed` waited longer in its
/// queue, the step votes `failed` and does not call `hold`. Until the cancellation arrives, a hold would block what other
/// orders need. The cancellation undoes a hold of an earlier delivery.
///
/// # Errors
/// [`HandleError`]: the event must be redelivered.
pub async fn take_part<S: StepService, P: EventPublisher>(
    service: &S,
    outcomes: &P,
    delivery: Delivery,
    deadline: Duration,
    now: Timestamp,
) -> Result<(), HandleError> {
    let Delivery { event, sent_at, last_attempt, .. } = delivery;
    let (owner, id) = (&event.owner, event.order_id);
    let vote = async |vote| {
        let kind = EventKind::Voted(S::STEP, vote);
        outcomes.publish(&Event { kind, occurred_at: now, ..event.clone() }).await
    };
    match &event.kind {
        EventKind::Placed(_) if sent_at.is_some_and(|sent| now > sent.plus(deadline)) => {
            vote(Vote::Failed(format!("the {} service received the order after its deadline", S::STEP))).await?;
        }
        EventKind::Placed(order) => {
            let held = service.hold(owner, id, order, event.occurred_at).await;
            let result = match &held {
                Ok(HoldOutcome::Held) => Vote::Held,
                Ok(HoldOutcome::Refused(reason)) => Vote::Refused(reason.clone()),
                // A vote on a cancelled order has no effect.
                Ok(HoldOutcome::Undone) => return Ok(()),
                Err(_) if last_attempt => Vote::Failed(format!("the {} service did not answer in time", S::STEP)),
                Err(_) => return Ok(held.map(|_| ())?),
            };
            vote(result).await?;
            // After a `failed` vote the delivery still fails, so that the event moves to the dead-letter queue.
            held?;
        }
        EventKind::Confirmed => service.confirm(owner, id).await?,
        EventKind::Cancelled { .. } => service.undo(owner, id).await?,
        // The subscription filters these out.
        EventKind::Submitted { .. } | EventKind::Voted(..) => {}
    }
    Ok(())
}
