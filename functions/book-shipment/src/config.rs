//! What the book-shipment function reads from its environment.

use lambda_support::{environment::Environment, sdk::Aws};
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) shipments_table_name: String,
    pub(crate) retention: Option<Duration>,
    pub(crate) parcels_per_day: u64,
    pub(crate) horizon_days: u32,
    pub(crate) shipments_queue_url: String,
    pub(crate) step_outcomes_topic_arn: String,
    pub(crate) max_receive_count: u32,
    pub(crate) backoff_base: Duration,
    pub(crate) backoff_cap: Duration,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            shipments_table_name: environment.text("SHIPMENTS_TABLE_NAME"),
            retention: environment.days("ORDER_RETENTION_DAYS"),
            parcels_per_day: environment.number("SHIPMENTS_PER_DAY"),
            horizon_days: environment.number("SHIPMENT_HORIZON_DAYS"),
            shipments_queue_url: environment.url("SHIPMENTS_QUEUE_URL"),
            step_outcomes_topic_arn: environment.text("STEP_OUTCOMES_TOPIC_ARN"),
            max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
            backoff_base: environment.seconds("BACKOFF_BASE_SECONDS").unwrap_or_default(),
            backoff_cap: environment.seconds("BACKOFF_CAP_SECONDS").unwrap_or_default(),
        }
    }
}
