//! The operator's commands: looking at orders that failed all their deliveries, and sending them round again.

pub(crate) mod dlq;
pub(crate) mod redrive;
mod settle;
mod table;
