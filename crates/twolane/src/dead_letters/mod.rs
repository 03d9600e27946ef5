//! The operator's commands for dead letters: show them, delete them, and move them back to their queues.

pub(crate) mod args;
pub(crate) mod dlq;
mod moving;
pub(crate) mod redrive;
mod redriven;
mod settle;
