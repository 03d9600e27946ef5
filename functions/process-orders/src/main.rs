//! The process-orders function: the async lane, SQS batches of orders.

mod handler;

use handler::Handler;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{
    environment::{Environment, InvalidEnvironment},
    sdk::{Aws, Patience, own_retries},
    telemetry,
};
use orders_dynamodb::{DynamoDbConnectionRepository, DynamoDbOrderRepository};
use orders_sqs::{QueueSettings, Worker};
use orders_websocket::{WebSocketNotifier, WebSocketSender};
use sqs_batch::{Backoff, BatchHandler, SqsBatch, SqsVisibility};
use std::time::Duration;

struct Config {
    aws: Aws,
    orders_table_name: String,
    order_retention: Option<Duration>,
    callbacks: Option<Callbacks>,
    orders_queue_url: String,
    queue: QueueSettings,
}

/// How owners are notified; a stack without a WebSocket API does not.
struct Callbacks {
    connections_table_name: String,
    websocket_management_url: String,
    orders_url: String,
}

impl Callbacks {
    fn of(environment: &mut Environment) -> Option<Self> {
        let websocket_management_url = environment.optional_url("WEBSOCKET_MANAGEMENT_URL")?;
        Some(Self {
            connections_table_name: environment.text("CONNECTIONS_TABLE_NAME"),
            websocket_management_url,
            orders_url: environment.url("ORDERS_URL"),
        })
    }

    fn notifier(self, aws: &Aws) -> WebSocketNotifier<DynamoDbConnectionRepository> {
        // A write that fails is redelivered; a notification that fails is dropped. Owners who ask the status service have no
        // socket: the client for sockets is made when the first one is notified.
        let patient = aws.with_patience(Patience::LONG);
        let connections =
            aws_sdk_dynamodb::config::Builder::from(&patient).retry_partition(own_retries("connections")).build();
        let management = move || {
            let management = aws_sdk_apigatewaymanagement::config::Builder::from(&patient)
                .endpoint_url(self.websocket_management_url)
                .retry_partition(own_retries("notifications"));
            aws_sdk_apigatewaymanagement::Client::from_conf(management.build())
        };
        WebSocketNotifier::new(
            DynamoDbConnectionRepository::new(
                aws_sdk_dynamodb::Client::from_conf(connections),
                self.connections_table_name,
            ),
            WebSocketSender::when_needed(management, self.orders_url),
            Patience::LONG.request_limit(),
        )
    }
}

impl Config {
    fn from_env() -> Result<Self, InvalidEnvironment> {
        Self::of(Environment::of_process())
    }

    fn of(mut environment: Environment) -> Result<Self, InvalidEnvironment> {
        let backoff_base = environment.seconds("BACKOFF_BASE_SECONDS").unwrap_or_default();
        let backoff_cap = environment.seconds("BACKOFF_CAP_SECONDS").unwrap_or_default();
        let config = Self {
            aws: Aws::of(&mut environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            order_retention: environment.days("ORDER_RETENTION_DAYS"),
            callbacks: Callbacks::of(&mut environment),
            orders_queue_url: environment.url("ORDERS_QUEUE_URL"),
            queue: QueueSettings {
                max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
                max_age: environment.seconds("MAX_QUEUE_AGE_SECONDS"),
                backoff: Backoff::full_jitter(backoff_base, backoff_cap),
            },
        };
        environment.finish(config)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = config.aws;
    let management_url = config.callbacks.as_ref().map(|callbacks| callbacks.websocket_management_url.clone());
    let sqs = aws.config().clone();
    let prepare = || Handler {
        orders: DynamoDbOrderRepository::new(
            aws_sdk_dynamodb::Client::new(aws.config()),
            config.orders_table_name,
            config.order_retention,
        ),
        worker: Worker {
            function: "process-orders",
            batches: BatchHandler::new().visibility(SqsVisibility::when_needed(
                move || aws_sdk_sqs::Client::new(&sqs),
                config.orders_queue_url,
            )),
            notifier: config.callbacks.map(|callbacks| callbacks.notifier(&aws)),
            notifying: Patience::LONG.request_limit(),
            queue: config.queue,
        },
    };
    let handler = &aws.connect_while(management_url.as_deref(), prepare).await;
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move { Ok::<_, Error>(handler.handle(event).await?) })).await
}

#[cfg(test)]
mod tests {
    use super::*;

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
        Config::of(Environment::of(REQUIRED.iter().chain(&BACKOFF).chain(more).copied()))
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
