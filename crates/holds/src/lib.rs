//! Hold, then confirm or undo: the counters and holds of services, and their port. No AWS, no serde, no I/O.
//!
//! A *counter* has the available amount of something: units of a SKU, money on an account, slots of a day. A *hold*
//! takes amounts from counters for one order, until it is confirmed or undone. Both change in one transaction, so the
//! sum of held and available amounts stays constant.
//!
//! - [`Hold`] is one hold with its [`HoldState`] and its [`Claim`]s.
//! - [`HoldRepository`] keeps holds and counters.
//! - [`hold_or_refuse()`] is the use case of every service.

mod counter;
#[cfg(feature = "fakes")]
pub mod fakes;
mod hold;
mod hold_or_refuse;
mod repository;

pub use counter::{Claim, CounterKey, Shortage};
pub use hold::{Hold, HoldKey, HoldState};
pub use hold_or_refuse::{Recorded, hold_or_refuse};
pub use repository::{HoldRepository, RefuseOutcome, TakeOutcome};
