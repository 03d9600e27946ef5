//! Structured logs: one JSON object a line.

use crate::environment::Environment;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Starts logging to standard output, for CloudWatch Logs Insights. The level is `AWS_LAMBDA_LOG_LEVEL`, from Lambda's
/// logging configuration (default: `INFO`). Directives in `RUST_LOG`, such as `orders_websocket=warn`, refine it.
/// [`Environment::finish`] reports malformed values. Call this once, before the runtime starts: the runtime adds the
/// request id to every line.
///
/// Release builds never log below `INFO`: see `docs/decisions/0022-nothing-below-info.md`.
pub fn init(environment: &mut Environment) {
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        // The runtime's span has the invocation's id. Inside it, an API request's has API Gateway's.
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false);
    tracing_subscriber::registry().with(lines).with(filter(environment)).init();
}

fn filter(environment: &mut Environment) -> Targets {
    let level = environment.parsed("AWS_LAMBDA_LOG_LEVEL", "TRACE, DEBUG, INFO, WARN, ERROR or FATAL", parse_level);
    let directives: Option<Targets> =
        environment
            .parsed("RUST_LOG", "a level, or directives such as orders_websocket=warn", |text| text.parse().ok());
    let directives = directives.unwrap_or_default();
    let level = directives.default_level().or(level).unwrap_or(LevelFilter::INFO);
    Targets::new().with_default(level).with_targets(directives)
}

/// Tracing has no `FATAL`, so that is `ERROR`.
/// Source: AWS Lambda API Reference, "`LoggingConfig`", `ApplicationLogLevel`.
fn parse_level(text: &str) -> Option<LevelFilter> {
    if text.eq_ignore_ascii_case("fatal") { Some(LevelFilter::ERROR) } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn logs_at_the_level_that_lambda_sets_refined_by_directives() {
        // The level and the directives, then the level for this crate and for another.
        let cases = [
            ("", "", Level::INFO, Level::INFO),
            ("WARN", "", Level::WARN, Level::WARN),
            ("debug", "", Level::DEBUG, Level::DEBUG),
            ("FATAL", "", Level::ERROR, Level::ERROR),
            ("WARN", "lambda_support=debug", Level::DEBUG, Level::WARN),
            ("WARN", "error,lambda_support=info", Level::INFO, Level::ERROR),
        ];
        for (level, directives, here, elsewhere) in cases {
            let variables = [("AWS_LAMBDA_LOG_LEVEL", level), ("RUST_LOG", directives)];
            let mut environment = Environment::from_iter(variables);

            let filter = filter(&mut environment);

            environment.finish(()).unwrap_or_else(|error| panic!("{variables:?}: {error}"));
            let most_detailed = |target: &str| {
                let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
                levels.into_iter().find(|level| filter.would_enable(target, level))
            };
            assert_eq!(most_detailed("lambda_support"), Some(here), "{variables:?}");
            assert_eq!(most_detailed("orders"), Some(elsewhere), "{variables:?}");
        }
    }

    #[test]
    fn reports_malformed_levels_and_directives_together_with_other_variables() {
        let mut environment = Environment::from_iter([("AWS_LAMBDA_LOG_LEVEL", "LOUD"), ("RUST_LOG", "orders=loud")]);

        filter(&mut environment);
        environment.text("ORDERS_TABLE_NAME");

        assert_eq!(
            environment.finish(()).expect_err("all are wrong").to_string(),
            "invalid environment: AWS_LAMBDA_LOG_LEVEL is \"LOUD\", not TRACE, DEBUG, INFO, WARN, ERROR or FATAL; \
             RUST_LOG is \"orders=loud\", not a level, or directives such as orders_websocket=warn; \
             ORDERS_TABLE_NAME is missing"
        );
    }
}
