//! `twolane compare`: compares lanes under the same load.

pub(crate) mod args;
pub(crate) mod command;
mod consent;
mod folder;
mod from_file;
mod gate;
mod limit;
mod live;
mod show;
