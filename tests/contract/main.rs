//! Checks that the files of this repository agree: template, functions, API definitions, wire types, packages.
//!
//! Deploys nothing. Each message says what to fix.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the repository fails, and says where")]

mod architecture;
mod async_api;
mod circles;
mod cloudformation;
mod compose;
mod created;
mod edge;
mod encryption;
mod events;
mod functions;
mod gateway_responses;
mod lane_lists;
mod mapping_templates;
mod packages;
mod payment_schemas;
mod portability;
mod queues;
#[cfg(target_os = "linux")]
mod release_build;
mod rest_api;
mod rest_schemas;
