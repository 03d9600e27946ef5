//! Structured logs: one JSON object a line, which is what CloudWatch Logs Insights queries.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Starts logging to standard output, at the level that Lambda's logging configuration sets in `AWS_LAMBDA_LOG_LEVEL`
/// (`INFO` without it), which the directives in `RUST_LOG` refine (`orders_websocket=warn`); malformed ones count for
/// nothing. Call it once, before the runtime starts, which adds the request id to every line.
///
/// A release build has nothing below `INFO`, whatever is asked for: that is left out when it is compiled.
pub fn init() {
    let variable = |name| std::env::var(name).ok();
    let level = variable("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let directives = variable("RUST_LOG").and_then(|directives| directives.parse::<Targets>().ok()).unwrap_or_default();
    let level = directives.default_level().unwrap_or(level);
    let filter = Targets::new().with_default(level).with_targets(directives);
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        // The runtime's, with the invocation's id, and that of an API request within.
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
}
