//! The process-orders function: the async lane, SQS batches of orders.

mod batch;
mod handler;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use handler::Handler;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{
    environment::{Environment, InvalidEnvironment},
    sdk, telemetry,
};
use orders_dynamodb::{DynamoDbConnectionRepository, DynamoDbOrderRepository};
use orders_websocket::{WebSocketNotifier, WebSocketSender};
use std::time::Duration;

/// Longest time to tell an owner about one order. On the last delivery an order may be written twice first, each
/// within `sdk`'s limit for one request; all three fit into the function's timeout.
const NOTIFICATION_PATIENCE: Duration = Duration::from_secs(4);

struct Config {
    orders_table_name: String,
    order_retention: Option<Duration>,
    connections_table_name: String,
    websocket_management_url: String,
    orders_url: String,
    max_receive_count: u32,
}

impl Config {
    fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = Environment::of_process();
        let config = Self {
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            order_retention: environment.days("ORDER_RETENTION_DAYS"),
            connections_table_name: environment.text("CONNECTIONS_TABLE_NAME"),
            websocket_management_url: environment.url("WEBSOCKET_MANAGEMENT_URL"),
            orders_url: environment.url("ORDERS_URL"),
            max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
        };
        environment.finish(config)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let sdk = sdk::config().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let management =
        aws_sdk_apigatewaymanagement::config::Builder::from(&sdk).endpoint_url(config.websocket_management_url).build();
    let handler = Handler {
        orders: DynamoDbOrderRepository::new(dynamodb.clone(), config.orders_table_name, config.order_retention),
        notifier: WebSocketNotifier::new(
            DynamoDbConnectionRepository::new(dynamodb, config.connections_table_name),
            WebSocketSender::new(aws_sdk_apigatewaymanagement::Client::from_conf(management), config.orders_url),
            NOTIFICATION_PATIENCE,
        ),
        max_receive_count: config.max_receive_count,
    };
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<batch::SqsBatch>| async move {
        let deadline = event.context.deadline();
        let failures = batch::process(event.payload, deadline, |message| handler.handle(message)).await?;
        Ok::<SqsBatchResponse, Error>(failures)
    }))
    .await
}
