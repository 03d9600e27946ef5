//! What became of orders that failed all their deliveries: looking at them, and sending them round again.
//!
//! The operator's side of lanes with a queue. It uses the AWS APIs of the queues and of the orders table with the operator's
//! own credentials: an operator is not the owner of the orders, whom alone the status service answers.

mod event;
pub mod finding;
pub mod letter;
pub mod move_task;
pub mod queue;
pub mod resend;
pub mod site;
