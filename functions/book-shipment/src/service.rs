use holds::{Hold, HoldRepository};
use shared_kernel::{RepositoryError, Step};
use shipments::Calendar;
use steps_sqs::{PlacedOrder, Service};

/// Books a day for an order's parcel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BookShipment {
    pub(crate) calendar: Calendar,
}

impl Service for BookShipment {
    const STEP: Step = Step::Shipment;

    async fn hold<R: HoldRepository + Sync>(&self, holds: &R, order: PlacedOrder<'_>) -> Result<Hold, RepositoryError> {
        let PlacedOrder { owner, id, placed_at, now, .. } = order;
        shipments::book_shipment(holds, owner, id, self.calendar, placed_at, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::{
        HoldState,
        fakes::{self, InMemoryHolds},
    };
    use steps_sqs::fakes::hold;

    #[tokio::test]
    async fn holds_the_day_after_the_present_one() {
        let holds = InMemoryHolds::default();
        let calendar = Calendar { parcels_per_day: 9, horizon_days: 1 };

        let held = hold(&BookShipment { calendar }, &holds).await;

        assert_eq!((held.state, held.created_at), (HoldState::Held, fakes::moment()));
        assert_eq!(holds.state(&fakes::key(1)), Some(HoldState::Held));
        assert_eq!(holds.counter("2026-12-01#0"), Some(8));
    }
}
