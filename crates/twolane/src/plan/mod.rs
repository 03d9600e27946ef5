//! `twolane plan`: what each lane would do with a load on AWS.

pub(crate) mod args;
pub(crate) mod command;
