//! The settle-order function of the bus lane. It records orders, counts votes, applies deadlines, publishes orders and
//! decisions, and notifies owners.

mod config;
mod handler;

use config::Config;
use event_bus::{SnsPublisher, Subscriber};
use handler::{Handler, Queue};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{environment::Environment, metrics, sdk::RetryPolicy, telemetry};
use orders_dynamodb::DynamoDbOrderRepository;
use sqs_batch::{Backoff, BatchHandler, SqsBatch, SqsVisibility};
use std::sync::LazyLock;

fn count_unreadable(rows: usize) {
    metrics::count("settle-order", "UnreadableConnections", rows);
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
        let queue = |url: String| {
            // Most batches retry no message, and a client is a large part of a cold start.
            let (sqs, queue_url) = (aws.config().clone(), url.clone());
            let visibility = LazyLock::new(move || SqsVisibility::new(aws_sdk_sqs::Client::new(&sqs), queue_url));
            let subscriber = Subscriber {
                batches: BatchHandler::new().visibility(visibility),
                max_receive_count: config.max_receive_count,
                backoff: Backoff::full_jitter(config.backoff_base, config.backoff_cap),
            };
            Queue { url, subscriber }
        };
        Handler {
            orders: DynamoDbOrderRepository::new(
                aws_sdk_dynamodb::Client::new(aws.config()),
                config.orders_table_name,
                config.order_retention,
            ),
            events: SnsPublisher::new(aws_sdk_sns::Client::new(aws.config()), config.order_events_topic_arn),
            notifier: config.callbacks.map(|callbacks| callbacks.notifier(&aws, count_unreadable)),
            notifying: RetryPolicy::NOTIFICATIONS.request_limit(),
            order_deadline: config.order_deadline,
            queues: config.queue_urls.map(queue),
        }
    };
    let urls = aws.dynamodb_url().into_iter().chain(aws.sns_url()).chain(management_url.as_deref());
    let handler = aws.warm_up(urls, make_handler).await;
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move { Ok::<_, Error>(handler.handle(event).await?) })).await
}
