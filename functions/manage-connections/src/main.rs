//! The manage-connections function: the WebSocket API's `$connect`, `$disconnect`, `subscribe` and `$default`.

mod config;
mod handler;

use config::Config;
use handler::Handler;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{
    environment::Environment,
    sdk::{RetryPolicy, separate_retries},
    telemetry,
};
use orders_dynamodb::{DynamoDbConnectionRepository, DynamoDbOrderRepository};
use orders_websocket::WebSocketSender;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let Config { aws, orders_table_name, connections_table_name, websocket_management_url, orders_url } =
        environment.finish(config)?;

    // Most events are sockets that open or close, which need only DynamoDB.
    let dynamodb = aws.warm_up(aws.dynamodb_url(), || aws_sdk_dynamodb::Client::new(aws.config())).await;
    let notifications = aws.config_with(RetryPolicy::NOTIFICATIONS);
    let management = move || {
        let management = aws_sdk_apigatewaymanagement::config::Builder::from(&notifications)
            .endpoint_url(websocket_management_url)
            .retry_partition(separate_retries("answers"));
        aws_sdk_apigatewaymanagement::Client::from_conf(management.build())
    };
    let handler = Handler {
        orders: DynamoDbOrderRepository::new(dynamodb.clone(), orders_table_name, None),
        connections: DynamoDbConnectionRepository::new(dynamodb, connections_table_name),
        sender: WebSocketSender::when_needed(management, orders_url),
    };
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<_>| async move { Ok::<_, Error>(handler.handle(&event.payload).await) })).await
}
