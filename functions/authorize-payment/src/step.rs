//! The step `payment`, as the bus calls it.

use event_bus::{HoldOutcome, OrderedItems, StepService};
use holds::{HoldKey, HoldRepository, HoldState};
use shared_kernel::{OrderId, Owner, RepositoryError, Step, Timestamp};

/// The payments service, at the moment of one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthorizePayment<'a, R> {
    /// Where holds and counters are kept.
    pub(crate) holds: &'a R,
    /// The present moment.
    pub(crate) now: Timestamp,
}

impl<R: HoldRepository + Sync> StepService for AuthorizePayment<'_, R> {
    const STEP: Step = Step::Payment;

    async fn hold(
        &self,
        owner: &Owner,
        id: OrderId,
        order: &OrderedItems,
        placed_at: Timestamp,
    ) -> Result<HoldOutcome, RepositoryError> {
        let total = order.total_minor_units();
        let hold = payments::authorize_order(self.holds, owner, id, order.currency, total, placed_at).await?;
        Ok(match hold.state {
            HoldState::Held | HoldState::Done => HoldOutcome::Held,
            HoldState::Refused(reason) => HoldOutcome::Refused(reason),
            HoldState::Undone => HoldOutcome::Undone,
        })
    }

    async fn confirm(&self, owner: &Owner, id: OrderId) -> Result<(), RepositoryError> {
        self.holds.confirm(&HoldKey::for_order(owner, id), self.now).await
    }

    async fn undo(&self, owner: &Owner, id: OrderId) -> Result<(), RepositoryError> {
        self.holds.undo(&HoldKey::for_order(owner, id), self.now).await
    }
}
