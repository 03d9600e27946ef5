use event_bus::{HoldOutcome, OrderedItems, StepService};
use holds::{Hold, HoldKey, HoldRepository, HoldState};
use shared_kernel::{OrderId, Owner, RepositoryError, Step, Timestamp};
use std::future::Future;

/// What distinguishes one step from another: what it holds for an order.
pub trait Service {
    /// Which step this is.
    const STEP: Step;

    /// Holds what the order needs under [`HoldKey::for_order`], or records that it cannot. A repeat MUST return what
    /// the first call recorded. The hold MUST be created as of [`PlacedOrder::placed_at`]: see [`StepService::hold`].
    fn hold<R: HoldRepository + Sync>(
        &self,
        holds: &R,
        order: PlacedOrder<'_>,
    ) -> impl Future<Output = Result<Hold, RepositoryError>> + Send;
}

/// An order that was placed.
#[derive(Clone, Copy, Debug)]
pub struct PlacedOrder<'a> {
    /// Its owner.
    pub owner: &'a Owner,
    /// Its id.
    pub id: OrderId,
    /// What is ordered.
    pub ordered: &'a OrderedItems,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The present moment.
    pub now: Timestamp,
}

pub(crate) struct ServiceWithHolds<'a, S, R> {
    pub(crate) service: &'a S,
    pub(crate) holds: &'a R,
    pub(crate) now: Timestamp,
}

impl<S: Service + Sync, R: HoldRepository + Sync> StepService for ServiceWithHolds<'_, S, R> {
    const STEP: Step = S::STEP;

    async fn hold(
        &self,
        owner: &Owner,
        id: OrderId,
        ordered: &OrderedItems,
        placed_at: Timestamp,
    ) -> Result<HoldOutcome, RepositoryError> {
        let order = PlacedOrder { owner, id, ordered, placed_at, now: self.now };
        Ok(match self.service.hold(self.holds, order).await?.state {
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
