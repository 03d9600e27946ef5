//! Dead letters: read, delete and redrive them.
//!
//! For the operator: SQS and DynamoDB are called with AWS credentials, because the status service answers only an
//! order's owner.

pub mod dead_letter;
mod event;
pub mod move_task;
pub mod of_stack;
pub mod queue;
pub mod queue_redrive;
pub mod with_record;
