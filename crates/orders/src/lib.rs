//! The order domain: types that cannot be wrong, the use cases that both lanes share, and the ports they need.
//!
//! Nothing here knows AWS, JSON or the clock. A caller turns its wire format into these types once, at its edge,
//! calls one use case, and turns the result back:
//!
//! - [`place_order()`] is the whole business of the sync lane, and the core of the async lane;
//! - [`process_queued_order()`] adds what a queue adds: refusals that must be recorded, last deliveries, notifications.
//!
//! The ports are [`OrderRepository`], [`ConnectionRepository`] and [`Notifier`].

mod connection;
mod content;
mod note;
mod order;
mod place_order;
mod ports;
mod process_queued_order;

#[cfg(feature = "fakes")]
pub mod fakes;

pub use connection::{Connection, ConnectionId, InvalidConnectionId};
pub use content::{ItemDraft, OrderContent, OrderDraft};
pub use note::Note;
pub use order::{Lane, Order, Outcome, Status};
pub use place_order::{PlaceOrder, PlaceOrderError, Placement, place_order};
pub use ports::{
    ConnectionRepository, Notification, NotificationReport, Notifier, NotifyError, OrderRepository, StoreOutcome,
};
pub use process_queued_order::{Processed, QueuedOrder, Refusal, process_queued_order};
pub use shared_kernel::{
    Currency, ErrorChain, Fingerprint, InvalidOrderId, InvalidOwner, InvalidTimestamp, Item, OrderId, Owner, Quantity,
    RepositoryError, Sku, Timestamp, UnitPrice, Violation, Violations,
};
