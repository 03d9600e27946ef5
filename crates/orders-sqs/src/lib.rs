//! What the workers of orders queues share.
//!
//! [`Worker`] takes a batch of messages and a use case. It reads each message as a
//! [`QueuedOrder`](orders::QueuedOrder), runs the use case, chooses the message's disposition, and logs the result.
//! Once the whole batch is written, it notifies each owner. Other consumers of queues use its [`Outbox`] and
//! [`Callbacks`], too.

mod callbacks;
mod message;
mod outbox;
mod worker;

pub use callbacks::Callbacks;
pub use message::{NotFromOurApi, QueueSettings, read_order};
pub use outbox::Outbox;
pub use worker::Worker;
