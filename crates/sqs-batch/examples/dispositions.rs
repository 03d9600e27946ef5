//! A Lambda function that does what each message's body says. Shows every disposition:
//!
//! ```json
//! {"do": "done"}
//! {"do": "retry"}
//! {"do": "retry-after"}
//! {"do": "poison"}
//! {"do": "panic"}
//! {"do": "hang"}
//! {"do": "retry-after", "until": 3}
//! ```
//!
//! With `until`, the message is done from that delivery on. Build with `cargo lambda build --example dispositions
//! --features aws-sdk-sqs`. Set `QUEUE_URL`, and grant `sqs:ChangeMessageVisibility` on the queue.

use aws_config::BehaviorVersion;
use aws_smithy_http_client::{Builder, tls};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::Deserialize;
use sqs_batch::{Backoff, BatchHandler, Disposition, Message, SqsBatch, SqsVisibility};
use std::{future, time::Duration};

#[derive(Deserialize)]
struct Command {
    r#do: String,
    until: Option<u32>,
}

/// Up to 1 s, then 2 s, 4 s, … and at most one minute.
const BACKOFF: Backoff = Backoff::full_jitter(Duration::from_secs(1), Duration::from_mins(1));

async fn obey(message: Message) -> Disposition {
    let Ok(command) = serde_json::from_str::<Command>(message.body.as_deref().unwrap_or_default()) else {
        return Disposition::Poison;
    };
    let id = message.message_id.as_deref().unwrap_or_default();
    let delivery = message.receive_count();
    tracing::info!(message.id = id, delivery, "Delivery {delivery} of {id}: {}", command.r#do);
    if command.until.is_some_and(|until| delivery >= until) {
        return Disposition::Done;
    }
    match command.r#do.as_str() {
        "done" => Disposition::Done,
        "retry" => Disposition::Retry,
        "retry-after" => Disposition::RetryAfter(BACKOFF),
        "panic" => panic!("intended"),
        "hang" => future::pending().await,
        _ => Disposition::Poison,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let queue_url = std::env::var("QUEUE_URL").map_err(|_| "QUEUE_URL is missing: set it to the queue's URL")?;
    // The SDK's default features are off here. They bring an HTTP client.
    let http_client =
        Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client).load().await;
    let sqs = aws_sdk_sqs::Client::new(&config);
    let batches = &BatchHandler::new().visibility(SqsVisibility::new(sqs, queue_url));
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move {
        let deadline = event.context.deadline();
        Ok::<_, Error>(batches.handle(event.payload, deadline, obey).await?)
    }))
    .await
}
