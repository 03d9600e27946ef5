//! The ports of `orders` on Amazon DynamoDB.
//!
//! [`DynamoDbOrderRepository`] and [`DynamoDbConnectionRepository`] have one table each. [`DynamoDbOrderIndex`] lists
//! orders through an index of the orders table. Errors expose no AWS type, and the shape of the records is private.

mod connection_repository;
mod error;
mod order_index;
mod order_record;
mod order_repository;
mod settlement;

pub use connection_repository::DynamoDbConnectionRepository;
pub use order_index::DynamoDbOrderIndex;
pub use order_repository::DynamoDbOrderRepository;
