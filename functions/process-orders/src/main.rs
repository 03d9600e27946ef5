//! The process-orders function: the async lane, SQS batches of orders.

mod config;
mod handler;

use config::Config;
use handler::Handler;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{environment::Environment, metrics, sdk::RetryPolicy, telemetry};
use orders::Lane;
use orders_dynamodb::DynamoDbOrderRepository;
use orders_sqs::{QueueSettings, Worker};
use sqs_batch::{Backoff, BatchHandler, SqsBatch, SqsVisibility};
use std::sync::LazyLock;

fn count_unreadable(rows: usize) {
    metrics::count("process-orders", "UnreadableConnections", rows);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let config = environment.finish(config)?;

    let aws = config.aws;
    let management_url = config.callbacks.as_ref().map(|callbacks| callbacks.websocket_management_url.clone());
    let make_handler = || {
        // Most batches retry no message, and a client is a large part of a cold start.
        let sqs = aws.config().clone();
        let visibility =
            LazyLock::new(move || SqsVisibility::new(aws_sdk_sqs::Client::new(&sqs), config.orders_queue_url));
        Handler {
            orders: DynamoDbOrderRepository::new(
                aws_sdk_dynamodb::Client::new(aws.config()),
                config.orders_table_name,
                config.order_retention,
            ),
            worker: Worker {
                function: "process-orders",
                batches: BatchHandler::new().visibility(visibility),
                notifier: config.callbacks.map(|callbacks| callbacks.notifier(&aws, count_unreadable)),
                notifying: RetryPolicy::NOTIFICATIONS.request_limit(),
                queue: QueueSettings {
                    lane: Lane::Async,
                    max_receive_count: config.max_receive_count,
                    max_age: config.max_queue_age,
                    backoff: Backoff::full_jitter(config.backoff_base, config.backoff_cap),
                },
            },
        }
    };
    let urls = aws.dynamodb_url().into_iter().chain(management_url.as_deref());
    let handler = aws.warm_up(urls, make_handler).await;
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move { Ok::<_, Error>(handler.handle(event).await?) })).await
}
