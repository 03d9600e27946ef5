//! What the `main` of every function needs: configuration from the environment, AWS SDK settings, logs and metrics, the
//! caller's identity, and HTTP problem responses.

pub mod caller;
pub mod clock;
mod cors;
pub mod environment;
pub mod http;
pub mod metrics;
pub mod sdk;
pub mod telemetry;
