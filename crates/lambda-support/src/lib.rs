//! What the `main` of every function needs.

pub mod caller;
pub mod clock;
mod cors;
pub mod environment;
pub mod http;
pub mod metrics;
pub mod sdk;
pub mod telemetry;
