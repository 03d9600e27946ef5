use crate::counter;
use holds::{Claim, CounterKey, Hold, HoldKey, HoldRepository, HoldState, Shortage, hold_or_refuse};
use shared_kernel::{Item, OrderId, Owner, RepositoryError, Timestamp};
use std::collections::BTreeMap;

/// Units of a SKU without a record.
const UNKNOWN_SKU_UNITS: u64 = 0;

/// Holds every unit that an order needs, or records a refusal. A repeat returns what the first call recorded.
///
/// At most 99 different SKUs, the limit of [`HoldRepository::take`]: publish-order refuses other orders.
///
/// # Errors
/// Those of the repository.
pub async fn reserve_stock<R: HoldRepository>(
    holds: &R,
    owner: &Owner,
    id: OrderId,
    items: &[Item],
    placed_at: Timestamp,
) -> Result<Hold, RepositoryError> {
    let hold = Hold { state: HoldState::Held, claims: claims(items), created_at: placed_at };
    let key = HoldKey::for_order(owner, id);
    let recorded = hold_or_refuse(holds, &key, hold, UNKNOWN_SKU_UNITS, refusal).await?;
    Ok(recorded.into_hold())
}

/// Lines with the same SKU are added up.
fn claims(items: &[Item]) -> Vec<Claim> {
    let mut units: BTreeMap<CounterKey, u64> = BTreeMap::new();
    for item in items {
        *units.entry(counter(&item.sku)).or_default() += u64::from(item.quantity.units());
    }
    units.into_iter().map(|(counter, amount)| Claim { counter, amount }).collect()
}

/// `SKU-1: 5 ordered, 2 left; SKU-2: 1 ordered, 0 left`.
fn refusal(shortages: &[Shortage]) -> String {
    let line = |Shortage { claim, available }: &Shortage| {
        format!("{}: {} ordered, {available} left", claim.counter, claim.amount)
    };
    shortages.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{self, InMemoryHolds};
    use shared_kernel::{Quantity, Sku, UnitPrice};

    fn line(sku: &str, quantity: i64) -> Item {
        Item {
            sku: Sku::parse(sku).expect("a SKU"),
            quantity: Quantity::new(quantity).expect("in range"),
            unit_price: UnitPrice::new(1999).expect("in range"),
        }
    }

    async fn reserve(holds: &InMemoryHolds, order: u8, items: &[Item]) -> HoldState {
        let reserved = reserve_stock(holds, &fakes::owner(), fakes::order_id(order), items, fakes::moment()).await;
        reserved.expect("in memory").state
    }

    #[tokio::test]
    async fn adds_lines_with_the_same_sku_up() {
        let holds = InMemoryHolds::with([("SKU-1", 5), ("SKU-2", 1)]);

        let state = reserve(&holds, 1, &[line("SKU-1", 2), line("SKU-2", 1), line("SKU-1", 3)]).await;

        assert_eq!(state, HoldState::Held);
        assert_eq!([holds.counter("SKU-1"), holds.counter("SKU-2")], [Some(0), Some(0)]);
    }

    #[tokio::test]
    async fn refuses_the_whole_order_for_every_sku_that_is_short() {
        let holds = InMemoryHolds::with([("SKU-1", 2), ("SKU-2", 9)]);

        let state = reserve(&holds, 1, &[line("SKU-1", 5), line("SKU-2", 1), line("SKU-3", 1)]).await;

        let reason = "SKU-1: 5 ordered, 2 left; SKU-3: 1 ordered, 0 left";
        assert_eq!(state, HoldState::Refused(reason.to_owned()));
        assert_eq!([holds.counter("SKU-1"), holds.counter("SKU-2")], [Some(2), Some(9)]);
    }

    #[tokio::test]
    async fn the_last_unit_goes_to_one_order() {
        let holds = InMemoryHolds::with([("SKU-1", 1)]);

        let first = reserve(&holds, 1, &[line("SKU-1", 1)]).await;
        let second = reserve(&holds, 2, &[line("SKU-1", 1)]).await;

        assert_eq!((first, second), (HoldState::Held, HoldState::Refused("SKU-1: 1 ordered, 0 left".to_owned())));
    }

    #[tokio::test]
    async fn knows_only_skus_with_a_counter() {
        let holds = InMemoryHolds::with([("SKU-1", 0)]);

        let left = units_left_of(&holds, "SKU-1").await;
        let unknown = units_left_of(&holds, "SKU-2").await;

        assert_eq!((left, unknown), (Some(0), None));
    }

    async fn units_left_of(holds: &InMemoryHolds, sku: &str) -> Option<u64> {
        crate::units_left(holds, &Sku::parse(sku).expect("a SKU")).await.expect("in memory")
    }
}
