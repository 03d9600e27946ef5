//! The notifier port of `orders` on the API Gateway Management API.
//!
//! [`WebSocketSender`] sends one frame to one socket; [`WebSocketNotifier`] notifies all sockets of an owner.

mod notifier;
mod sender;

pub use notifier::WebSocketNotifier;
pub use sender::{SendError, WebSocketSender};
