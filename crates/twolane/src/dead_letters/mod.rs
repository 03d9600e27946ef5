//! The operator's commands: looking at messages that failed all their deliveries, and moving them back.

pub(crate) mod args;
pub(crate) mod dlq;
mod moving;
pub(crate) mod redrive;
mod redriven;
mod settle;
