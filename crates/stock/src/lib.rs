//! The stock domain: units of SKUs, which orders hold. No AWS, no serde, no I/O.

mod levels;
mod reserve_stock;

pub use levels::{counter, units_left};
pub use reserve_stock::reserve_stock;
