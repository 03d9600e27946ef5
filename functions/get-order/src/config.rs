use lambda_support::{environment::Environment, sdk::Aws};

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) orders_table_name: String,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self { aws: Aws::from_env(environment), orders_table_name: environment.text("ORDERS_TABLE_NAME") }
    }
}
