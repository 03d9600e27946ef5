//! Settings of a deployed stack that a scenario changes and always changes back.

mod changes;
mod controls;
mod fill;
mod place;
mod setting;
mod supplies;

pub(crate) use changes::{StackChanges, restore};
pub(crate) use controls::Controls;
pub(crate) use fill::Fill;
pub(crate) use place::default_file;
pub(crate) use setting::StackSetting;
pub(crate) use supplies::{Amounts, Supply};
