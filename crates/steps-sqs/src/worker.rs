use crate::service::{Service, ServiceWithHolds};
use aws_lambda_events::event::sqs::SqsBatchResponse;
use event_bus::{Delivery, EventPublisher, Subscriber, take_part};
use holds::HoldRepository;
use lambda_runtime::LambdaEvent;
use lambda_support::clock;
use sqs_batch::{SqsBatch, UnidentifiedFailure, VisibilityTimeout};
use std::time::Duration;

/// Handles the batches of a step.
#[derive(Debug)]
pub struct Worker<S, R, P, V> {
    /// Holds what an order needs.
    pub service: S,
    /// Keeps holds and counters.
    pub holds: R,
    /// Publishes the step's votes.
    pub outcomes: P,
    /// How long after an order was placed it is cancelled if it is not decided.
    pub order_deadline: Duration,
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
    /// Handles a batch, and returns the messages that must be redelivered.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered.
    pub async fn handle(&self, event: LambdaEvent<SqsBatch>) -> Result<SqsBatchResponse, UnidentifiedFailure> {
        let handle = async |delivery: Delivery| {
            let step = ServiceWithHolds { service: &self.service, holds: &self.holds, now: clock::now() };
            take_part(&step, &self.outcomes, delivery, self.order_deadline, step.now).await
        };
        self.subscriber.handle(event.payload, event.context.deadline(), handle).await
    }
}
