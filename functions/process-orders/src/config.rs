use lambda_support::{environment::Environment, sdk::Aws};
use orders_sqs::Callbacks;
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) orders_table_name: String,
    pub(crate) order_retention: Option<Duration>,
    pub(crate) callbacks: Option<Callbacks>,
    pub(crate) orders_queue_url: String,
    pub(crate) max_receive_count: u32,
    pub(crate) max_queue_age: Option<Duration>,
    pub(crate) backoff_base: Duration,
    pub(crate) backoff_cap: Duration,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            order_retention: environment.days("ORDER_RETENTION_DAYS"),
            callbacks: Callbacks::from_env(environment),
            orders_queue_url: environment.url("ORDERS_QUEUE_URL"),
            max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
            max_queue_age: environment.seconds("MAX_QUEUE_AGE_SECONDS"),
            backoff_base: environment.seconds("BACKOFF_BASE_SECONDS").unwrap_or_default(),
            backoff_cap: environment.seconds("BACKOFF_CAP_SECONDS").unwrap_or_default(),
        }
    }
}
