//! `twolane plan`: how each lane would handle a load on AWS.

pub(crate) mod args;
pub(crate) mod command;
