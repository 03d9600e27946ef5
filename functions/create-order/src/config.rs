use lambda_support::{environment::Environment, sdk::Aws};
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) orders_table_name: String,
    pub(crate) order_retention: Option<Duration>,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            order_retention: environment.days("ORDER_RETENTION_DAYS"),
        }
    }
}
