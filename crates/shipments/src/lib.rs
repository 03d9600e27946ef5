//! The shipments domain: days with a capacity, which orders book. No AWS, no serde, no I/O.
//!
//! All orders want the same first free day, and writes to one counter are sequential: about a hundred orders a second.
//! So several counters share the parcels of a day with a large capacity. An order's id determines its counter.

mod book_shipment;
mod calendar;

pub use book_shipment::book_shipment;
pub use calendar::{Calendar, Day};
