//! The port of holds over Amazon DynamoDB.
