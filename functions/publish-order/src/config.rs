use lambda_support::{environment::Environment, sdk::Aws};

pub(crate) struct Config {
    pub(crate) aws: Aws,
    pub(crate) order_submissions_topic_arn: String,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            aws: Aws::from_env(environment),
            order_submissions_topic_arn: environment.text("ORDER_SUBMISSIONS_TOPIC_ARN"),
        }
    }
}
