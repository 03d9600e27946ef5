//! A handler of one message, lifted to an AWS Lambda handler of SQS batches.
//!
//! Lambda hands messages of a queue to a function in batches, and deletes those that the function does not report as
//! failed (`ReportBatchItemFailures`). Whatever a function forgets to report is lost; whatever it reports needlessly is
//! done again. With this crate a function says what one message comes to, a [`Disposition`], and [`BatchHandler`] makes
//! the batch's answer of it:
//!
//! - A message that panics, hangs or cannot be read fails alone.
//! - Work is concurrent, up to a bound, and ends before the invocation does; what was not reached is reported.
//! - Failures are reported by message id, never by an empty or unknown one; a full success is an empty list.
//! - A message says when it comes again: after the queue's visibility timeout, after a back-off with full jitter, or at
//!   once.
//! - In a FIFO queue a failure stops its message group and no other.
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
//!         // A message without a body stays one, however often it comes.
//!         None => Disposition::Poison,
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! // What Lambda sends; `lambda_runtime` reads it for you.
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
//!   an implementation of [`VisibilityTimeout`] of your own.

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

/// The README's example, compiled.
#[cfg(all(doctest, feature = "aws-sdk-sqs"))]
#[doc = include_str!("../README.md")]
struct Readme;
