//! The get-stock function: the available units of a SKU, `GET /stock/{sku}`.

mod config;
mod handler;

use config::Config;
use holds_dynamodb::DynamoDbHoldRepository;
use lambda_http::Error;
use lambda_support::{environment::Environment, http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let Config { aws, stock_table_name } = environment.finish(config)?;

    let client = aws.warm_up(aws.dynamodb_url(), || aws_sdk_dynamodb::Client::new(aws.config())).await;
    let holds = DynamoDbHoldRepository::new(client, stock_table_name, None);
    http::serve(async |request| handler::handle(&holds, request).await).await
}
