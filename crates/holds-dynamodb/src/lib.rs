//! The port of [`holds`] over Amazon DynamoDB.
//!
//! A service has one table with the string partition key `pk`:
//!
//! | `pk` | attributes |
//! |---|---|
//! | `counter#{key}` | `available`: what the counter has |
//! | `{kind}#{owner}#{id}` | `state`; `claims`: amount by counter; `createdAt`; `reason` if refused; `expiresAt` if holds are forgotten |
//!
//! Holding and undoing are transactions over the hold and its counters. Their one cost: two transactions on one item at the same
//! moment cancel each other. A counter that every order needs limits the orders a second.

mod conflict;
mod hold_record;
mod repository;
mod transaction;

pub use repository::DynamoDbHoldRepository;
