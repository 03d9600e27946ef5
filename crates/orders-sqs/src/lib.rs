//! What every worker of an orders queue shares.
//!
//! [`Worker`] takes a batch of messages and a use case. It reads each message as a [`QueuedOrder`](orders::QueuedOrder),
//! runs the use case, tells the queue what happens to the message, and writes the log. Once every message of the batch is
//! written, it notifies each owner. Its [`Outbox`], and the [`Callbacks`] that it needs, serve other consumers of queues too.

mod callbacks;
mod message;
mod outbox;
mod worker;

pub use callbacks::Callbacks;
pub use message::{NotFromOurApi, QueueSettings, read_order};
pub use outbox::Outbox;
pub use worker::Worker;
