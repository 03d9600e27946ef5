//! A stack's client, for callers and the operator.
//!
//! Callers use the stack's URLs: [`placing`] follows an order down its lane. The operator reads queues and tables with
//! AWS APIs: [`dead_letters`], [`counters`].

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
pub mod queue_depths;
pub mod requests;
mod root_cause;
pub mod signals;
pub mod socket;
pub mod stack;
pub mod timeline;
pub mod timestamp;
pub mod token;
