//! The shipments domain: days with a capacity, which orders book. No AWS, no serde, no I/O.
//!
//! All orders want the same first free day, and one counter serves only about a hundred orders a second. So a day with
//! a large capacity has several counters.

mod book_shipment;
mod calendar;

pub use book_shipment::book_shipment;
pub use calendar::{Calendar, Day};
