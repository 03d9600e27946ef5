use lambda_support::{
    environment::Environment,
    sdk::{Aws, RetryPolicy, separate_retries},
};
use orders_dynamodb::DynamoDbConnectionRepository;
use orders_websocket::{WebSocketNotifier, WebSocketSender};

/// The settings of notifications.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// The table of open sockets.
    pub connections_table_name: String,
    /// The WebSocket API's management endpoint.
    pub websocket_management_url: String,
    /// The status service's URL up to and including `/orders`.
    pub orders_url: String,
}

impl Callbacks {
    /// Reads `WEBSOCKET_MANAGEMENT_URL`, `CONNECTIONS_TABLE_NAME` and `ORDERS_URL`. `None` for a stack without
    /// callbacks.
    pub fn from_env(environment: &mut Environment) -> Option<Self> {
        let websocket_management_url = environment.optional_url("WEBSOCKET_MANAGEMENT_URL")?;
        Some(Self {
            connections_table_name: environment.text("CONNECTIONS_TABLE_NAME"),
            websocket_management_url,
            orders_url: environment.url("ORDERS_URL"),
        })
    }

    /// A notifier that retries by [`RetryPolicy::NOTIFICATIONS`]. It calls `count_unreadable` after each look-up that
    /// skipped sockets, with their number.
    #[must_use]
    pub fn notifier(self, aws: &Aws, count_unreadable: fn(usize)) -> WebSocketNotifier<DynamoDbConnectionRepository> {
        // A separate policy, because failed notifications are not redelivered. The management client is created for the
        // first frame: owners who poll have no socket.
        let notifications = aws.config_with(RetryPolicy::NOTIFICATIONS);
        let connections = aws_sdk_dynamodb::config::Builder::from(&notifications)
            .retry_partition(separate_retries("connections"))
            .build();
        let management = move || {
            let management = aws_sdk_apigatewaymanagement::config::Builder::from(&notifications)
                .endpoint_url(self.websocket_management_url)
                .retry_partition(separate_retries("notifications"));
            aws_sdk_apigatewaymanagement::Client::from_conf(management.build())
        };
        let connections = aws_sdk_dynamodb::Client::from_conf(connections);
        WebSocketNotifier::new(
            DynamoDbConnectionRepository::new(connections, self.connections_table_name)
                .count_unreadable(count_unreadable),
            WebSocketSender::when_needed(management, self.orders_url),
            RetryPolicy::NOTIFICATIONS.request_limit(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: (&str, &str) = ("WEBSOCKET_MANAGEMENT_URL", "https://ws.example/live");

    #[test]
    fn a_stack_without_a_websocket_api_has_no_callbacks() {
        for none in [vec![], vec![("WEBSOCKET_MANAGEMENT_URL", "")]] {
            let mut environment = Environment::from_iter(none);

            assert!(Callbacks::from_env(&mut environment).is_none());
            environment.finish(()).expect("nothing is wrong");
        }
    }

    #[test]
    fn a_stack_with_a_websocket_api_has_all_that_callbacks_need() {
        let read = |variables: &[(&str, &str)]| {
            let mut environment = variables.iter().copied().collect();
            let callbacks = Callbacks::from_env(&mut environment);
            environment.finish(callbacks)
        };
        let orders_url = ("ORDERS_URL", "https://api.example/live/orders");

        let complete = read(&[URL, orders_url, ("CONNECTIONS_TABLE_NAME", "connections")]).expect("nothing is wrong");
        let incomplete = read(&[URL, orders_url]).expect_err("a table is missing").to_string();
        let malformed = read(&[("WEBSOCKET_MANAGEMENT_URL", "ws.example")]).expect_err("no URL").to_string();

        assert_eq!(complete.expect("there is a WebSocket API").websocket_management_url, URL.1);
        assert!(incomplete.contains("CONNECTIONS_TABLE_NAME is missing"), "{incomplete}");
        assert!(malformed.contains("WEBSOCKET_MANAGEMENT_URL is \"ws.example\""), "{malformed}");
    }
}
