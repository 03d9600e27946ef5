//! What the workers of orders queues share.
//!
//! [`Worker`] reads each message of a batch as a [`QueuedOrder`](orders::QueuedOrder), runs a use case, and chooses the
//! message's disposition. Once the whole batch is written, it notifies each owner. Other consumers of queues use
//! [`Outbox`] and [`Callbacks`], too.

mod callbacks;
mod message;
mod outbox;
mod worker;

pub use callbacks::Callbacks;
pub use message::{NotFromOurApi, QueueSettings, read_order};
pub use outbox::Outbox;
pub use worker::Worker;
