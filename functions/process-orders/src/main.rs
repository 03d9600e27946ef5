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
use orders_websocket::{WebSocketNotifier, WebSocketSender};
use sqs_batch::{Backoff, BatchHandler, Message, SqsBatch, SqsVisibility};
use std::time::Duration;

struct Config {
    aws: Aws,
    orders_table_name: String,
    order_retention: Option<Duration>,
    connections_table_name: String,
    websocket_management_url: String,
    orders_url: String,
    orders_queue_url: String,
    max_receive_count: u32,
    max_queue_age: Option<Duration>,
    backoff: Backoff,
}

impl Config {
    fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = Environment::of_process();
        let backoff_base = environment.seconds("BACKOFF_BASE_SECONDS").unwrap_or_default();
        let backoff_cap = environment.seconds("BACKOFF_CAP_SECONDS").unwrap_or_default();
        let config = Self {
            aws: Aws::of(&mut environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            order_retention: environment.days("ORDER_RETENTION_DAYS"),
            connections_table_name: environment.text("CONNECTIONS_TABLE_NAME"),
            websocket_management_url: environment.url("WEBSOCKET_MANAGEMENT_URL"),
            orders_url: environment.url("ORDERS_URL"),
            orders_queue_url: environment.url("ORDERS_QUEUE_URL"),
            max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
            max_queue_age: environment.seconds("MAX_QUEUE_AGE_SECONDS"),
            backoff: Backoff::full_jitter(backoff_base, backoff_cap),
        };
        environment.finish(config)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = &config.aws;
    aws.connect_also_to(&config.websocket_management_url).await;
    // A repository in trouble brings the message again; a notification in trouble is not repeated by anybody.
    let patient = aws.with_patience(Patience::LONG);
    let management = aws_sdk_apigatewaymanagement::config::Builder::from(&patient)
        .endpoint_url(config.websocket_management_url)
        .retry_partition(own_retries("notifications"))
        .build();
    let connections =
        aws_sdk_dynamodb::config::Builder::from(&patient).retry_partition(own_retries("connections")).build();
    let handler = &Handler {
        orders: DynamoDbOrderRepository::new(
            aws_sdk_dynamodb::Client::new(aws.config()),
            config.orders_table_name,
            config.order_retention,
        ),
        notifier: WebSocketNotifier::new(
            DynamoDbConnectionRepository::new(
                aws_sdk_dynamodb::Client::from_conf(connections),
                config.connections_table_name,
            ),
            WebSocketSender::new(aws_sdk_apigatewaymanagement::Client::from_conf(management), config.orders_url),
            Patience::LONG.request_limit(),
        ),
        max_receive_count: config.max_receive_count,
        max_queue_age: config.max_queue_age,
        backoff: config.backoff,
    };
    let sqs = aws.config().clone();
    let visibility = SqsVisibility::when_needed(move || aws_sdk_sqs::Client::new(&sqs), config.orders_queue_url);
    let batches = &BatchHandler::new().visibility(visibility);
    run(service_fn(|event: LambdaEvent<SqsBatch>| async move {
        let deadline = event.context.deadline();
        let settle = |message: Message| async move { handler.handle(&message).await };
        Ok::<_, Error>(batches.handle(event.payload, deadline, settle).await?)
    }))
    .await
}
