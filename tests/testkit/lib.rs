//! Shared parts of the tests: clients of a deployed stack, hostile values, the stacks that CloudFormation makes of the
//! template, and this repository's files.
//!
//! `TWOLANE_OUTPUTS` names the file with the stack's outputs as a flat JSON object; the default is the nearest
//! `.local/outputs.json`. Region, credentials and endpoint come from the environment, as for every AWS tool.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]
#![expect(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "only for tests: they panic where the test has failed, and use every result"
)]

pub mod api_client;
pub mod command_line;
pub mod event_sources;
pub mod eventually;
pub mod hostile_bodies;
pub mod hostile_values;
pub mod local_account;
pub mod node;
pub mod order_bodies;
pub mod outputs;
pub mod queue_messages;
pub mod repository;
pub mod services;
pub mod socket;
pub mod stack;
pub mod template;
pub mod tokens;
