//! The stock domain: units on the shelves, held for orders. No AWS, no serde, no I/O.

mod levels;
mod reserve_stock;

pub use levels::{counter, units_left};
pub use reserve_stock::reserve_stock;
