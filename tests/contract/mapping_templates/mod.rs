//! The mapping templates of `infra/openapi.yaml`, rendered.
//!
//! AWS does with a caller's text what these Velocity templates say. So a real engine renders them here, for the hostile
//! bodies, ids, subjects and headers of the end-to-end tests.

mod answers;
mod definition;
mod form;
mod origins;
mod queue_request;
mod renderer;
