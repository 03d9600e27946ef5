//! The authorize-payment function. Bus lane, step `payment`: SQS batches of order events.

mod config;
mod handler;
mod step;

use config::Config;
use event_bus::{SnsPublisher, Subscriber};
use handler::Handler;
use holds_dynamodb::DynamoDbHoldRepository;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{environment::Environment, telemetry};
use sqs_batch::{Backoff, BatchHandler, SqsBatch, SqsVisibility};
use std::sync::LazyLock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let config = environment.finish(config)?;

    let aws = config.aws;
    let make_handler = async {
        // Most batches have no message that is retried: making the client is a good part of a start.
        let sqs = aws.config().clone();
        let visibility =
            LazyLock::new(move || SqsVisibility::new(aws_sdk_sqs::Client::new(&sqs), config.payments_queue_url));
        Handler {
            holds: DynamoDbHoldRepository::new(
                aws_sdk_dynamodb::Client::new(aws.config()),
                config.payments_table_name,
                config.retention,
            ),
            outcomes: SnsPublisher::new(aws_sdk_sns::Client::new(aws.config()), config.step_outcomes_topic_arn),
            subscriber: Subscriber {
                batches: BatchHandler::new().visibility(visibility),
                max_receive_count: config.max_receive_count,
                backoff: Backoff::full_jitter(config.backoff_base, config.backoff_cap),
            },
        }
    };
    let urls = aws.dynamodb_url().into_iter().chain(aws.sns_url());
    let ((), handler) = tokio::join!(aws.warm_up(urls), make_handler);
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move { Ok::<_, Error>(handler.handle(event).await?) })).await
}
