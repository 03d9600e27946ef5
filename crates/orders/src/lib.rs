//! The order domain: types that are valid by construction, the lanes' use cases, and their ports. No AWS, no JSON, no
//! clock.
//!
//! A caller converts its wire format to these types, calls one use case, and converts the result back:
//!
//! - [`place_order()`] is all that the sync lane does, and the core of the async lane.
//! - [`process_queued_order()`] adds what a queue needs: recorded rejections, last deliveries, notifications.
//! - [`count_vote()`] and [`pass_deadline()`] add what the bus lane needs: the last vote, a refusal or the deadline
//!   decides.
//!
//! The ports are [`OrderRepository`], [`OrderIndex`], [`SettlementRepository`], [`ConnectionRepository`] and
//! [`Notifier`].

mod ballot;
mod connection;
mod content;
mod note;
mod order;
mod order_list;
mod place_order;
mod ports;
mod process_queued_order;
mod settle_order;
mod votes;

#[cfg(feature = "fakes")]
pub mod fakes;

pub use ballot::{Ballot, Deadline};
pub use connection::{Connection, ConnectionId, InvalidConnectionId};
pub use content::{ItemDraft, OrderContent, OrderDraft};
pub use note::Note;
pub use order::{Cancellation, Lane, Order, Outcome, Status};
pub use order_list::{ListPosition, OrderIndex, OrderListQuery, OrderPage, OrderSummary, PageLimit};
pub use place_order::{PlaceOrder, PlaceOrderError, Placement, place_order};
pub use ports::{
    ConnectionRepository, Notification, NotificationReport, Notifier, NotifyError, OrderRepository, SettleOutcome,
    SettlementRepository, StoreOutcome,
};
pub use process_queued_order::{InvalidBody, Processed, QueuedOrder, process_queued_order};
pub use settle_order::{SettleError, Settled, UNPUBLISHED_REASON, cancel_unpublished, count_vote, pass_deadline};
pub use shared_kernel::{
    Currency, ErrorChain, Fingerprint, InvalidOrderId, InvalidOwner, InvalidTimestamp, Item, OrderId, Owner, Quantity,
    RepositoryError, Sku, Step, Timestamp, UnitPrice, Violation, Violations, Vote,
};
pub use votes::{Decider, Votes};
