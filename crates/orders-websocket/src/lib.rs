//! The notifier port of `orders` on the API Gateway Management API.

mod notifier;
mod sender;

pub use notifier::WebSocketNotifier;
pub use sender::{SendError, WebSocketSender};
