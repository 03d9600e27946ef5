//! The port of [`holds`] over Amazon DynamoDB.
//!
//! A service has one table with the string partition key `pk`:
//!
//! | `pk` | attributes |
//! |---|---|
//! | `counter#{key}` | `available`: what the counter has |
//! | `{kind}#{owner}#{id}` | `state`; `claims`: amount by counter; `createdAt`; `reason` if refused; `expiresAt` if holds are forgotten |
//!
//! Holding and undoing are transactions over the hold and its counters. Two transactions on one item at the same moment cancel each
//! other. So those of one process wait for each other, and those of several are repeated. A counter that every order needs limits
//! the orders a second: to about a hundred, where a transaction takes 10 ms.

mod conflict;
mod hold_record;
mod in_flight;
mod repository;
mod transaction;

pub use repository::DynamoDbHoldRepository;
