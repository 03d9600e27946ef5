//! The operator's commands: looking at orders that failed all their deliveries, and sending them round again.

pub(crate) mod dlq;
mod moving;
pub(crate) mod redrive;
mod redriven;
mod settle;
