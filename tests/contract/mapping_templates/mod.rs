//! The mapping templates of `infra/openapi.yaml`, rendered.
//!
//! Velocity is a language of its own, and what its templates make of a caller's text is what AWS does with it: so they
//! are rendered here by a real engine, for the hostile bodies, ids, subjects and headers that the end-to-end tests send.

mod answers;
mod definition;
mod form;
mod origins;
mod queue_request;
mod renderer;
