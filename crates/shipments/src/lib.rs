//! The shipments domain: days with a capacity, booked for orders. No AWS, no serde, no I/O.
//!
//! The first free day is the same for every order, and orders write one counter one after another: about a hundred a second. So
//! several counters share a large day's parcels, and an order's id says which of them the order takes from.

mod book_shipment;
mod calendar;

pub use book_shipment::book_shipment;
pub use calendar::{Calendar, Day};
