//! The ports of `orders` over Amazon DynamoDB.
//!
//! Two tables, two repositories: [`DynamoDbOrderRepository`] and [`DynamoDbConnectionRepository`]. [`DynamoDbOrderIndex`] lists
//! orders by an index of the first table. No AWS type leaves this crate in an error, and every record's shape is private to it.

mod connection_repository;
mod error;
mod order_index;
mod order_record;
mod order_repository;
mod settlement;

pub use connection_repository::DynamoDbConnectionRepository;
pub use order_index::DynamoDbOrderIndex;
pub use order_repository::DynamoDbOrderRepository;
