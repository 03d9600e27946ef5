//! A stack as its callers and its operator see it from outside.
//!
//! Callers know the stack by its URLs, over HTTP and WebSocket, and nothing of what is behind them: [`placing`] follows an
//! order down its lane. The operator looks into queues and tables by AWS's own APIs: [`dead_letters`],
//! [`counters`].

pub mod additions;
pub mod aws;
mod batch_get;
pub mod callbacks;
mod connections;
pub mod counters;
mod credentials;
pub mod dead_letters;
pub mod issuer;
pub mod money;
pub mod network;
pub mod order_file;
pub mod orders_table;
pub mod placing;
mod profiles;
pub mod requests;
mod root_cause;
pub mod signals;
pub mod socket;
pub mod stack;
pub mod timeline;
pub mod timestamp;
pub mod token;
