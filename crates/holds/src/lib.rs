//! Hold, then confirm or undo: counters and holds that services keep, and the port they need. No AWS, no serde, no I/O.
//!
//! A *counter* says how much of something is available: units of a SKU, money on an account, slots of a day. A *hold* takes
//! amounts from counters for one order, tentatively: it is confirmed or undone later. The counters and the hold change in one
//! transaction, so what is held plus what is available never changes.
//!
//! - [`Hold`] is one hold with its [`HoldState`] and its [`Claim`]s.
//! - [`HoldRepository`] keeps holds and counters.
//! - [`hold_or_refuse()`] is what every service does when it holds.

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
