//! One batch of events in, the step of each order, the messages to redeliver out.

use crate::service::{At, Service};
use aws_lambda_events::event::sqs::SqsBatchResponse;
use event_bus::{Delivery, EventPublisher, Subscriber, take_part};
use holds::HoldRepository;
use lambda_runtime::LambdaEvent;
use lambda_support::clock;
use sqs_batch::{SqsBatch, UnidentifiedFailure, VisibilityTimeout};

/// What every batch of a step needs.
#[derive(Debug)]
pub struct Worker<S, R, P, V> {
    /// What the step holds for an order.
    pub service: S,
    /// Where holds and counters are kept.
    pub holds: R,
    /// Where the step's votes are published.
    pub outcomes: P,
    /// Reads the events.
    pub subscriber: Subscriber<V>,
}

impl<S, R, P, V> Worker<S, R, P, V>
where
    S: Service + Sync,
    R: HoldRepository + Sync,
    P: EventPublisher,
    V: VisibilityTimeout,
{
    /// Holds, confirms or undoes for every event of a batch, and answers with the messages that must be redelivered.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered.
    pub async fn handle(&self, event: LambdaEvent<SqsBatch>) -> Result<SqsBatchResponse, UnidentifiedFailure> {
        let handle = async |delivery: Delivery| {
            let step = At { service: &self.service, holds: &self.holds, now: clock::now() };
            take_part(&step, &self.outcomes, delivery, step.now).await
        };
        self.subscriber.handle(event.payload, event.context.deadline(), handle).await
    }
}
