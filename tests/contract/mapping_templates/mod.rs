//! The mapping templates of `infra/openapi.yaml`, rendered.
//!
//! A caller's text could act as Velocity. So a real engine renders the templates here, for the hostile bodies, ids,
//! subjects and headers of the end-to-end tests.

mod answers;
mod definition;
mod form;
mod origins;
mod queue_request;
mod renderer;
