//! What the functions of all steps share.
//!
//! A step's function implements [`Service`], which says what it holds for an order, reads its [`Settings`], and calls
//! [`run()`]. A [`Worker`] then holds, confirms or undoes for each event, and publishes the votes.

#[cfg(feature = "fakes")]
pub mod fakes;
mod run;
mod service;
mod settings;
mod worker;

pub use run::run;
pub use service::{PlacedOrder, Service};
pub use settings::Settings;
pub use worker::Worker;
