//! The process-orders function: the async lane, SQS batches of orders.

mod config;
mod handler;

use config::{Callbacks, Config};
use handler::Handler;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{
    environment::Environment,
    metrics,
    sdk::{Aws, RetryPolicy, separate_retries},
    telemetry,
};
use orders::Lane;
use orders_dynamodb::{DynamoDbConnectionRepository, DynamoDbOrderRepository};
use orders_sqs::{QueueSettings, Worker};
use orders_websocket::{WebSocketNotifier, WebSocketSender};
use sqs_batch::{Backoff, BatchHandler, SqsBatch, SqsVisibility};
use std::sync::LazyLock;

fn notifier(callbacks: Callbacks, aws: &Aws) -> WebSocketNotifier<DynamoDbConnectionRepository> {
    // The queue redelivers a message whose write failed; a notification that fails is dropped. Owners who poll the status
    // service have no socket, and need no client for it.
    let notifications = aws.config_with(RetryPolicy::NOTIFICATIONS);
    let connections = aws_sdk_dynamodb::config::Builder::from(&notifications)
        .retry_partition(separate_retries("connections"))
        .build();
    let management = move || {
        let management = aws_sdk_apigatewaymanagement::config::Builder::from(&notifications)
            .endpoint_url(callbacks.websocket_management_url)
            .retry_partition(separate_retries("notifications"));
        aws_sdk_apigatewaymanagement::Client::from_conf(management.build())
    };
    WebSocketNotifier::new(
        DynamoDbConnectionRepository::new(
            aws_sdk_dynamodb::Client::from_conf(connections),
            callbacks.connections_table_name,
        )
        .count_unreadable(|rows| metrics::count("process-orders", "UnreadableConnections", rows)),
        WebSocketSender::when_needed(management, callbacks.orders_url),
        RetryPolicy::NOTIFICATIONS.request_limit(),
    )
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let config = environment.finish(config)?;

    let aws = config.aws;
    let management_url = config.callbacks.as_ref().map(|callbacks| callbacks.websocket_management_url.clone());
    let make_handler = async {
        // Most batches have no message that is retried: making the client is a good part of a start.
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
                notifier: config.callbacks.map(|callbacks| notifier(callbacks, &aws)),
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
    let ((), handler) = tokio::join!(aws.warm_up(urls), make_handler);
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move { Ok::<_, Error>(handler.handle(event).await?) })).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_support::environment::InvalidEnvironment;

    const REQUIRED: [(&str, &str); 9] = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("ORDERS_TABLE_NAME", "orders"),
        ("ORDER_RETENTION_DAYS", "0"),
        ("ORDERS_URL", "https://api.example/live/orders"),
        ("ORDERS_QUEUE_URL", "https://sqs.example/1/orders"),
        ("MAX_RECEIVE_COUNT", "5"),
        ("MAX_QUEUE_AGE_SECONDS", "0"),
    ];
    const BACKOFF: [(&str, &str); 2] = [("BACKOFF_BASE_SECONDS", "60"), ("BACKOFF_CAP_SECONDS", "900")];

    fn config(more: &[(&str, &str)]) -> Result<Config, InvalidEnvironment> {
        let mut environment = REQUIRED.iter().chain(&BACKOFF).chain(more).copied().collect();
        let config = Config::from_env(&mut environment);
        environment.finish(config)
    }

    #[test]
    fn a_stack_without_a_websocket_api_has_no_callbacks() {
        for none in [&[][..], &[("WEBSOCKET_MANAGEMENT_URL", "")]] {
            assert!(config(none).expect("nothing is wrong").callbacks.is_none());
        }
    }

    #[test]
    fn a_stack_with_a_websocket_api_has_all_that_callbacks_need() {
        let url = ("WEBSOCKET_MANAGEMENT_URL", "https://ws.example/live");

        let complete = config(&[url, ("CONNECTIONS_TABLE_NAME", "connections")]).expect("nothing is wrong");
        let incomplete = config(&[url]).map(|_| ()).expect_err("a table is missing").to_string();
        let malformed =
            config(&[("WEBSOCKET_MANAGEMENT_URL", "ws.example")]).map(|_| ()).expect_err("no URL").to_string();

        let callbacks = complete.callbacks.expect("there is a WebSocket API");
        assert_eq!(callbacks.websocket_management_url, url.1);
        assert!(incomplete.contains("CONNECTIONS_TABLE_NAME is missing"), "{incomplete}");
        assert!(malformed.contains("WEBSOCKET_MANAGEMENT_URL is \"ws.example\""), "{malformed}");
    }
}
