use crate::{Service, Settings, Worker};
use event_bus::{SnsPublisher, Subscriber};
use holds_dynamodb::DynamoDbHoldRepository;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use sqs_batch::{Backoff, BatchHandler, SqsBatch, SqsVisibility};
use std::sync::LazyLock;

/// Runs a step's function with its settings.
///
/// # Errors
/// Lambda's runtime ended.
pub async fn run<S: Service + Sync>(settings: Settings, service: S) -> Result<(), Error> {
    let aws = settings.aws;
    let make_worker = || {
        // Lazy: most batches retry no message, and a client is a large part of a cold start.
        let sqs = aws.config().clone();
        let visibility =
            LazyLock::new(move || SqsVisibility::new(aws_sdk_sqs::Client::new(&sqs), settings.events_queue_url));
        Worker {
            service,
            holds: DynamoDbHoldRepository::new(
                aws_sdk_dynamodb::Client::new(aws.config()),
                settings.holds_table_name,
                settings.retention,
            ),
            outcomes: SnsPublisher::new(aws_sdk_sns::Client::new(aws.config()), settings.step_outcomes_topic_arn),
            order_deadline: settings.order_deadline,
            subscriber: Subscriber {
                batches: BatchHandler::new().visibility(visibility),
                max_receive_count: settings.max_receive_count,
                backoff: Backoff::full_jitter(settings.backoff_base, settings.backoff_cap),
            },
        }
    };
    let urls = aws.dynamodb_url().into_iter().chain(aws.sns_url());
    let worker = aws.warm_up(urls, make_worker).await;
    let worker = &worker;
    let handle = |event: LambdaEvent<SqsBatch>| async move { Ok::<_, Error>(worker.handle(event).await?) };
    lambda_runtime::run(service_fn(handle)).await
}
