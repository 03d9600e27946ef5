use holds::{Hold, HoldRepository};
use shared_kernel::{RepositoryError, Step};
use steps_sqs::{PlacedOrder, Service};

/// Holds an order's units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReserveStock;

impl Service for ReserveStock {
    const STEP: Step = Step::Stock;

    async fn hold<R: HoldRepository + Sync>(&self, holds: &R, order: PlacedOrder<'_>) -> Result<Hold, RepositoryError> {
        let PlacedOrder { owner, id, ordered, placed_at, .. } = order;
        stock::reserve_stock(holds, owner, id, &ordered.items, placed_at).await
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
    async fn holds_the_units_of_an_order() {
        let holds = InMemoryHolds::with([("SKU-1", 5)]);

        let held = hold(&ReserveStock, &holds).await;

        assert_eq!((held.state, held.created_at), (HoldState::Held, fakes::moment()));
        assert_eq!(holds.state(&fakes::key(1)), Some(HoldState::Held));
        assert_eq!(holds.counter("SKU-1"), Some(3));
    }
}
