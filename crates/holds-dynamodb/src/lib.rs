//! The port of [`holds`] on Amazon DynamoDB.
//!
//! A service has one table with the string partition key `pk`:
//!
//! | `pk` | attributes |
//! |---|---|
//! | `counter#{key}` | `available`: the amount |
//! | `{kind}#{owner}#{id}` | `state`; `claims`: amount by counter; `createdAt`; `reason` if refused; `expiresAt` if holds expire |
//!
//! Holding and undoing are transactions on the hold and its counters. Concurrent transactions on one item cancel each
//! other: those of one process wait for each other, and other conflicts are retried. A counter that every order needs
//! limits the throughput: to about a hundred orders a second, if a transaction takes 10 ms.

mod conflict;
mod hold_record;
mod in_flight;
mod repository;
mod transaction;

pub use repository::DynamoDbHoldRepository;
