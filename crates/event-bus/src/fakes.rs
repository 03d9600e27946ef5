//! A recording publisher and sample values, for tests.

use crate::{Event, EventKind, EventPublisher, OrderedItems, PublishError};
use shared_kernel::{Currency, Fingerprint, Item, OrderId, Owner, Quantity, Sku, Timestamp, UnitPrice};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// Records published events. Message ids count from 0.
#[derive(Debug, Default)]
pub struct RecordingPublisher {
    published: Mutex<Vec<Event>>,
    failures_left: AtomicUsize,
}

impl RecordingPublisher {
    /// Fails the first `publishes` calls, without publishing.
    #[must_use]
    pub fn failing_first(publishes: usize) -> Self {
        Self { failures_left: AtomicUsize::new(publishes), ..Self::default() }
    }

    /// Every event, oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<Event> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EventPublisher for RecordingPublisher {
    async fn publish(&self, event: &Event) -> Result<String, PublishError> {
        if self.failures_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(PublishError::Unavailable("no answer".into()));
        }
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.push(event.clone());
        Ok((published.len() - 1).to_string())
    }
}

/// An event of Alice's order `5f0c1b0e-…`, at the start of 2026.
///
/// # Panics
/// Never: all values are valid.
#[must_use]
pub fn event(kind: EventKind) -> Event {
    Event {
        order_id: OrderId::parse("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b").expect("a UUID"),
        owner: Owner::parse("alice").expect("visible ASCII"),
        fingerprint: Fingerprint::of_bytes(b"an order"),
        occurred_at: Timestamp::parse("2026-01-01T00:00:00Z").expect("RFC 3339"),
        kind,
    }
}

/// Two units of `SKU-1` at 19.99 EUR.
///
/// # Panics
/// Never: all values are valid.
#[must_use]
pub fn ordered_items() -> OrderedItems {
    let item = Item {
        sku: Sku::parse("SKU-1").expect("a SKU"),
        quantity: Quantity::new(2).expect("in range"),
        unit_price: UnitPrice::new(1999).expect("in range"),
    };
    OrderedItems { currency: Currency::parse("EUR").expect("a currency"), items: vec![item] }
}
