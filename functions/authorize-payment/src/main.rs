//! The authorize-payment function. Bus lane, step `payment`: SQS batches of order events.

mod service;

use lambda_runtime::Error;
use lambda_support::{environment::Environment, telemetry};
use service::AuthorizePayment;
use steps_sqs::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let settings = Settings::from_env(&mut environment);
    steps_sqs::run(environment.finish(settings)?, AuthorizePayment).await
}
