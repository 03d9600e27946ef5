use lambda_support::{environment::Environment, sdk::Aws};
use orders_sqs::Callbacks;
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) orders_table_name: String,
    pub(crate) order_retention: Option<Duration>,
    pub(crate) callbacks: Option<Callbacks>,
    pub(crate) order_events_topic_arn: String,
    /// The queues of submissions, outcomes and deadlines.
    pub(crate) queue_urls: [String; 3],
    pub(crate) order_deadline: Duration,
    pub(crate) max_receive_count: u32,
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
            order_events_topic_arn: environment.text("ORDER_EVENTS_TOPIC_ARN"),
            queue_urls: ["SUBMISSIONS_QUEUE_URL", "OUTCOMES_QUEUE_URL", "DEADLINE_QUEUE_URL"]
                .map(|name| environment.url(name)),
            order_deadline: environment.seconds("ORDER_DEADLINE_SECONDS").unwrap_or_default(),
            max_receive_count: environment.number("MAX_RECEIVE_COUNT"),
            backoff_base: environment.seconds("BACKOFF_BASE_SECONDS").unwrap_or_default(),
            backoff_cap: environment.seconds("BACKOFF_CAP_SECONDS").unwrap_or_default(),
        }
    }
}
