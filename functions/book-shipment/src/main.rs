//! The book-shipment function. Bus lane, step `shipment`: SQS batches of order events.

mod config;
mod service;

use config::Config;
use lambda_runtime::Error;
use lambda_support::{environment::Environment, telemetry};
use service::BookShipment;
use shipments::Calendar;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let config = environment.finish(config)?;
    let calendar = Calendar { parcels_per_day: config.parcels_per_day, horizon_days: config.horizon_days };
    steps_sqs::run(config.step, BookShipment { calendar }).await
}
