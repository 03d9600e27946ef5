//! A sample order, for tests of services.

use crate::{PlacedOrder, Service};
use event_bus::fakes::ordered_items;
use holds::{
    Hold, HoldRepository,
    fakes::{moment, order_id, owner},
};
use std::time::Duration;

/// The hold of a service for Alice's order 1: two `SKU-1` at 19.99 EUR, placed at [`moment`], a minute ago.
///
/// # Panics
/// The repository fails.
pub async fn hold<S: Service, R: HoldRepository + Sync>(service: &S, holds: &R) -> Hold {
    let (owner, ordered, placed_at) = (owner(), ordered_items(), moment());
    let now = placed_at.plus(Duration::from_mins(1));
    let order = PlacedOrder { owner: &owner, id: order_id(1), ordered: &ordered, placed_at, now };
    service.hold(holds, order).await.expect("the repository answers")
}
