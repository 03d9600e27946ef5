//! The shipments domain: days with a capacity, booked for orders. No AWS, no serde, no I/O.

mod book_shipment;
mod calendar;

pub use book_shipment::book_shipment;
pub use calendar::{Calendar, Day};
