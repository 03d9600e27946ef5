//! The manage-connections function: the WebSocket API's `$connect`, `$disconnect`, `subscribe` and `$default`.

mod handler;

use handler::Handler;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{
    environment::{Environment, InvalidEnvironment},
    sdk::{Aws, Patience, own_retries},
    telemetry,
};
use orders_dynamodb::{DynamoDbConnectionRepository, DynamoDbOrderRepository};
use orders_websocket::WebSocketSender;

struct Config {
    aws: Aws,
    orders_table_name: String,
    connections_table_name: String,
    websocket_management_url: String,
    orders_url: String,
}

impl Config {
    fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = Environment::of_process();
        let config = Self {
            aws: Aws::of(&mut environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            connections_table_name: environment.text("CONNECTIONS_TABLE_NAME"),
            websocket_management_url: environment.url("WEBSOCKET_MANAGEMENT_URL"),
            orders_url: environment.url("ORDERS_URL"),
        };
        environment.finish(config)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    // Most of its events are sockets that open and close, which ask DynamoDB alone.
    let dynamodb = config.aws.connect_while(None, || aws_sdk_dynamodb::Client::new(config.aws.config())).await;
    let (aws, url) = (config.aws, config.websocket_management_url);
    let management = move || {
        let patient = aws.with_patience(Patience::LONG);
        let management = aws_sdk_apigatewaymanagement::config::Builder::from(&patient).endpoint_url(url);
        aws_sdk_apigatewaymanagement::Client::from_conf(management.retry_partition(own_retries("answers")).build())
    };
    let handler = Handler {
        orders: DynamoDbOrderRepository::new(dynamodb.clone(), config.orders_table_name, None),
        connections: DynamoDbConnectionRepository::new(dynamodb, config.connections_table_name),
        sender: WebSocketSender::when_needed(management, config.orders_url),
    };
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<_>| async move { Ok::<_, Error>(handler.handle(&event.payload).await) })).await
}
