//! What became of orders that failed all their deliveries: looking at them, and sending them round again.
//!
//! The operator's side of the async lane. It uses the AWS APIs of the queues and of the orders table with the
//! operator's own credentials: an operator is not the owner of the orders, whom alone the status service answers.

pub(crate) mod dlq;
mod finding;
mod letter;
mod move_task;
mod queue;
pub(crate) mod redrive;
mod resend;
mod settle;
mod site;
mod table;
