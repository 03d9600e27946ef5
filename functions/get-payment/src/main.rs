//! The get-payment function: the status of a payment, `GET /payments/{paymentId}`.

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
    let Config { aws, payments_table_name } = environment.finish(config)?;

    let client = aws.warm_up(aws.dynamodb_url(), || aws_sdk_dynamodb::Client::new(aws.config())).await;
    let holds = DynamoDbHoldRepository::new(client, payments_table_name, None);
    http::serve(async |request| handler::handle(&holds, request).await).await
}
