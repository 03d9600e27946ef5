//! The get-order function: the status service, `GET /orders/{orderId}`.

mod config;
mod handler;

use config::Config;
use lambda_http::Error;
use lambda_support::{environment::Environment, http, telemetry};
use orders_dynamodb::DynamoDbOrderRepository;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let Config { aws, orders_table_name } = environment.finish(config)?;

    let client = aws.warm_up(aws.dynamodb_url(), || aws_sdk_dynamodb::Client::new(aws.config())).await;
    let repository = DynamoDbOrderRepository::new(client, orders_table_name, None);
    http::serve(async |request| handler::handle(&repository, request).await).await
}
