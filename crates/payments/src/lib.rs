//! The payments domain: accounts, and payments taken from them. No AWS, no serde, no I/O.
