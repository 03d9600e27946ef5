//! The shipments domain: days with a capacity, booked for orders. No AWS, no serde, no I/O.
//!
//! A day is one counter, and the first free day is the same for every order. So orders write the same counter one after another:
//! a service that books more than about a hundred parcels a second needs several counters a day.

mod book_shipment;
mod calendar;

pub use book_shipment::book_shipment;
pub use calendar::{Calendar, Day};
