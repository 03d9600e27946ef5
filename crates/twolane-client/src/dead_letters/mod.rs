//! Messages that failed all their deliveries: read, delete and redrive them.
//!
//! For the operator of lanes with a queue. It calls SQS and DynamoDB with the operator's AWS credentials, because the
//! status service answers only an order's owner.

mod event;
pub mod finding;
pub mod letter;
pub mod move_task;
pub mod queue;
pub mod resend;
pub mod site;
