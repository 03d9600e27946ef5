use holds::{Hold, HoldRepository};
use shared_kernel::{RepositoryError, Step};
use steps_sqs::{PlacedOrder, Service};

/// Holds an order's total on its owner's account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthorizePayment;

impl Service for AuthorizePayment {
    const STEP: Step = Step::Payment;

    async fn hold<R: HoldRepository + Sync>(&self, holds: &R, order: PlacedOrder<'_>) -> Result<Hold, RepositoryError> {
        let PlacedOrder { owner, id, ordered, placed_at, .. } = order;
        payments::authorize_order(holds, owner, id, ordered.currency, ordered.total_minor_units(), placed_at).await
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
    async fn holds_the_total_of_an_order_on_its_owners_account() {
        let holds = InMemoryHolds::with([("alice#EUR", 5000)]);

        let held = hold(&AuthorizePayment, &holds).await;

        assert_eq!((held.state, held.created_at), (HoldState::Held, fakes::moment()));
        assert_eq!(holds.state(&fakes::key(1)), Some(HoldState::Held));
        assert_eq!(holds.counter("alice#EUR"), Some(1002));
    }
}
