use lambda_support::{environment::Environment, sdk::Aws};
use std::time::Duration;

/// What every step's function reads from its environment.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) aws: Aws,
    pub(crate) holds_table_name: String,
    pub(crate) retention: Option<Duration>,
    pub(crate) events_queue_url: String,
    pub(crate) step_outcomes_topic_arn: String,
    pub(crate) order_deadline: Duration,
    pub(crate) max_receive_count: u32,
    pub(crate) backoff_base: Duration,
    pub(crate) backoff_cap: Duration,
}

impl Settings {
    /// Reads the table (`HOLDS_TABLE_NAME`, `ORDER_RETENTION_DAYS`), the queue (`EVENTS_QUEUE_URL`,
    /// `MAX_RECEIVE_COUNT`, `BACKOFF_BASE_SECONDS`, `BACKOFF_CAP_SECONDS`), the topic of votes
    /// (`STEP_OUTCOMES_TOPIC_ARN`) and the deadline of orders (`ORDER_DEADLINE_SECONDS`).
    pub fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            holds_table_name: environment.text("HOLDS_TABLE_NAME"),
            retention: environment.days("ORDER_RETENTION_DAYS"),
            events_queue_url: environment.url("EVENTS_QUEUE_URL"),
            step_outcomes_topic_arn: environment.text("STEP_OUTCOMES_TOPIC_ARN"),
            order_deadline: environment.seconds("ORDER_DEADLINE_SECONDS").unwrap_or_default(),
            max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
            backoff_base: environment.seconds("BACKOFF_BASE_SECONDS").unwrap_or_default(),
            backoff_cap: environment.seconds("BACKOFF_CAP_SECONDS").unwrap_or_default(),
        }
    }
}
