//! Structured logs: one JSON object a line, which is what CloudWatch Logs Insights queries.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Starts logging to standard output, at the level that Lambda's logging configuration sets in `AWS_LAMBDA_LOG_LEVEL`
/// (`INFO` without it); `RUST_LOG` directives refine it. Call it once, before the runtime starts, which adds the
/// request id to every line.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let filter =
        EnvFilter::builder().with_default_directive(level.unwrap_or(LevelFilter::INFO).into()).from_env_lossy();
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        // The runtime's, with the invocation's id, and that of an API request within.
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_env_filter(filter)
        .init();
}
