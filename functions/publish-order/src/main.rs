//! The publish-order function: the bus lane, `PUT /bus/orders/{orderId}`.

mod config;
mod handler;

use config::Config;
use event_bus::SnsPublisher;
use lambda_http::Error;
use lambda_support::{environment::Environment, http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let Config { aws, order_submissions_topic_arn } = environment.finish(config)?;

    let client = aws.warm_up(aws.sns_url(), || aws_sdk_sns::Client::new(aws.config())).await;
    let submissions = SnsPublisher::new(client, order_submissions_topic_arn);
    http::serve(async |request| handler::handle(&submissions, request).await).await
}
