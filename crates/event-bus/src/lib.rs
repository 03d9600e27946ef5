//! Events that services publish and subscribe to. A service depends on events, not on other services.
//!
//! - [`Event`] is one event, with its JSON form.
//! - [`EventPublisher`] publishes to a topic; [`SnsPublisher`] publishes to Amazon SNS.
//! - [`Subscriber`] reads the events of an SQS queue that is subscribed to a topic with raw message delivery.
//! - [`StepService`] is what a service does for one step of an order; [`take_part`] connects it to the bus.
//!
//! Events arrive at least once, in any order. Every event handler must be idempotent.

mod event;
mod event_json;
#[cfg(feature = "fakes")]
pub mod fakes;
mod publisher;
mod sns_publisher;
mod step_service;
mod subscriber;

pub use event::{Event, EventKind, OrderedItems};
pub use event_json::InvalidEvent;
pub use publisher::{EventPublisher, PublishError};
pub use sns_publisher::{EVENT_TYPE_ATTRIBUTE, SnsPublisher};
pub use step_service::{HoldOutcome, StepService, take_part};
pub use subscriber::{Delivery, HandleError, Subscriber};
