//! What a scenario changes on a deployed stack, and always changes back: by AWS's own controls, so that it works on any
//! stack.

mod changes;
mod controls;
mod fill;
mod place;
mod setting;
mod supplies;

pub(crate) use changes::{Changes, restore};
pub(crate) use controls::Controls;
pub(crate) use fill::Fill;
pub(crate) use place::default_file;
pub(crate) use setting::Setting;
pub(crate) use supplies::{Amounts, Supply};
