//! The mapping templates of `infra/openapi.yaml`, rendered.
//!
//! The templates are Velocity, and AWS does with a caller's text what they say. So a real engine renders them here, for
//! the hostile bodies, ids, subjects and headers that the end-to-end tests send.

mod answers;
mod definition;
mod form;
mod origins;
mod queue_request;
mod renderer;
