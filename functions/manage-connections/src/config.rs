use lambda_support::{environment::Environment, sdk::Aws};

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) orders_table_name: String,
    pub(crate) connections_table_name: String,
    pub(crate) websocket_management_url: String,
    pub(crate) orders_url: String,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            orders_table_name: environment.text("ORDERS_TABLE_NAME"),
            connections_table_name: environment.text("CONNECTIONS_TABLE_NAME"),
            websocket_management_url: environment.url("WEBSOCKET_MANAGEMENT_URL"),
            orders_url: environment.url("ORDERS_URL"),
        }
    }
}
