//! The create-order function: the sync lane, `PUT /sync/orders/{orderId}`.

mod handler;

use lambda_http::Error;
use lambda_support::{
    environment::{Environment, InvalidEnvironment},
    http,
    sdk::Aws,
    telemetry,
};
use orders_dynamodb::DynamoDbOrderRepository;
use std::time::Duration;

struct Config {
    aws: Aws,
    orders_table_name: String,
    order_retention: Option<Duration>,
}

impl Config {
    fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = Environment::of_process();
        let config = Self {
            aws: Aws::of(&mut environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            order_retention: environment.days("ORDER_RETENTION_DAYS"),
        };
        environment.finish(config)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let client = config.aws.connect_while(None, || aws_sdk_dynamodb::Client::new(config.aws.config())).await;
    let repository = DynamoDbOrderRepository::new(client, config.orders_table_name, config.order_retention);
    http::serve(async |request| handler::handle(&repository, request).await).await
}
