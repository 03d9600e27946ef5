use lambda_support::{environment::Environment, sdk::Aws};
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) payments_table_name: String,
    pub(crate) retention: Option<Duration>,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            payments_table_name: environment.text("PAYMENTS_TABLE_NAME"),
            retention: environment.days("ORDER_RETENTION_DAYS"),
        }
    }
}
