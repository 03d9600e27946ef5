//! The stock domain: units on the shelves, held for orders. No AWS, no serde, no I/O.
