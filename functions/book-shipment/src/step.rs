//! The step `shipment`, as the bus calls it.

use event_bus::{HoldOutcome, OrderedItems, StepService};
use holds::{HoldKey, HoldRepository, HoldState};
use shared_kernel::{OrderId, Owner, RepositoryError, Step, Timestamp};
use shipments::Calendar;

/// The shipments service, at the moment of one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BookShipment<'a, R> {
    /// Where holds and counters are kept.
    pub(crate) holds: &'a R,
    /// The days that can be booked.
    pub(crate) calendar: Calendar,
    /// The present moment.
    pub(crate) now: Timestamp,
}

impl<R: HoldRepository + Sync> StepService for BookShipment<'_, R> {
    const STEP: Step = Step::Shipment;

    async fn hold(
        &self,
        owner: &Owner,
        id: OrderId,
        _: &OrderedItems,
        placed_at: Timestamp,
    ) -> Result<HoldOutcome, RepositoryError> {
        let hold = shipments::book_shipment(self.holds, owner, id, self.calendar, placed_at, self.now).await?;
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
