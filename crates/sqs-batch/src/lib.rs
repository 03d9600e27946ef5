//! Turns a handler of one SQS message into an AWS Lambda handler of batches.
//!
//! Lambda deletes the messages of a batch that the function does not report as failed (`ReportBatchItemFailures`). A
//! failure that is not reported is lost; a success that is reported is done again. Your handler returns a
//! [`Disposition`] for one message, and [`BatchHandler`] builds the response to the batch:
//!
//! - A message that panics, hangs or cannot be read fails alone.
//! - Handlers run concurrently, up to a limit, and stop before the invocation ends. Messages not reached are reported.
//! - Failures are reported by message id, never by an empty or unknown id. A full success is an empty list.
//! - The disposition says when SQS redelivers the message: after the queue's visibility timeout, after a back-off with
//!   full jitter, or at once.
//! - In a FIFO queue a failure stops only its message group.
//!
//! ```
//! use sqs_batch::{BatchHandler, Disposition, Message, SqsBatch};
//! use std::time::{Duration, SystemTime};
//!
//! async fn greet(message: Message) -> Disposition {
//!     match message.body.as_deref() {
//!         Some(name) => {
//!             println!("Hello, {name}!");
//!             Disposition::Done
//!         }
//!         // Another delivery would not add a body.
//!         None => Disposition::Poison,
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! // The event that Lambda sends. `lambda_runtime` reads it for you.
//! let batch: SqsBatch = serde_json::from_str(
//!     r#"{"Records": [{"messageId": "1", "body": "world"}, {"messageId": "2"}]}"#,
//! ).unwrap();
//! let deadline = SystemTime::now() + Duration::from_secs(10);
//!
//! let response = BatchHandler::new().handle(batch, deadline, greet).await.unwrap();
//!
//! assert_eq!(response.batch_item_failures.len(), 1);
//! assert_eq!(response.batch_item_failures[0].item_identifier, "2");
//! # });
//! ```
//!
//! In a function's `main`:
//!
//! ```no_run
//! # use lambda_runtime::{Error, LambdaEvent, run, service_fn};
//! # use sqs_batch::{BatchHandler, Disposition, Message, SqsBatch};
//! # async fn greet(_: Message) -> Disposition { Disposition::Done }
//! # async fn main_() -> Result<(), Error> {
//! let batches = &BatchHandler::new();
//! run(service_fn(|event: LambdaEvent<SqsBatch>| async move {
//!     let deadline = event.context.deadline();
//!     Ok::<_, Error>(batches.handle(event.payload, deadline, greet).await?)
//! }))
//! .await
//! # }
//! ```
//!
//! # Features
//!
//! - `aws-sdk-sqs`: `SqsVisibility`, which changes visibility timeouts through the AWS SDK. Without it, back-off needs
//!   your own [`VisibilityTimeout`].

mod backoff;
mod batch;
mod delivery;
mod disposition;
mod failure;
mod handler;
mod message;
mod record;
mod visibility;

pub use backoff::Backoff;
pub use batch::SqsBatch;
pub use disposition::Disposition;
pub use failure::UnidentifiedFailure;
pub use handler::BatchHandler;
pub use message::Message;
#[cfg(feature = "aws-sdk-sqs")]
pub use visibility::SqsVisibility;
pub use visibility::{Unchanged, VisibilityChange, VisibilityTimeout};

/// Compiles the README's example.
#[cfg(all(doctest, feature = "aws-sdk-sqs"))]
#[doc = include_str!("../README.md")]
struct Readme;
