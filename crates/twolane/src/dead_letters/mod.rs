//! The operator's commands to show, delete and redrive dead letters.

pub(crate) mod args;
pub(crate) mod dlq;
mod moving;
pub(crate) mod redrive;
mod redriven;
mod settle;
