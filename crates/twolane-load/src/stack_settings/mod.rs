//! What a scenario changes on a deployed stack, and always changes back: by AWS's own controls, so that it works on any
//! stack.

mod changes;
mod place;
mod setting;

pub(crate) use changes::{Changes, restore};
pub(crate) use place::default_file;
pub(crate) use setting::{Controls, Setting};
