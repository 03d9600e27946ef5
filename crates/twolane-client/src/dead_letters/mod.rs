//! Messages that failed all their deliveries: read, delete and redrive them.
//!
//! For the operator of lanes with a queue. It calls SQS and DynamoDB with the operator's AWS credentials, because the
//! status service answers only an order's owner.

pub mod dead_letter;
mod event;
pub mod move_task;
pub mod of_stack;
pub mod queue;
pub mod queue_redrive;
pub mod with_record;
