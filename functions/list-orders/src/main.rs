//! The list-orders function: the caller's orders, `GET /orders`.

mod config;
mod handler;

use config::Config;
use lambda_http::Error;
use lambda_support::{environment::Environment, http, telemetry};
use orders_dynamodb::DynamoDbOrderIndex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let Config { aws, orders_table_name, orders_index_name } = environment.finish(config)?;

    let client = aws.warm_up(aws.dynamodb_url(), || aws_sdk_dynamodb::Client::new(aws.config())).await;
    let index = orders_index_name.map(|name| DynamoDbOrderIndex::new(client, orders_table_name, name));
    http::serve(async |request| handler::handle(index.as_ref(), request).await).await
}
