//! The shipments domain: days with a capacity, booked for orders. No AWS, no serde, no I/O.
