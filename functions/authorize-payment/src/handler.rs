//! One batch of events in, the step of each order, the messages to redeliver out.

use crate::step::AuthorizePayment;
use aws_lambda_events::event::sqs::SqsBatchResponse;
use event_bus::{Delivery, EventPublisher, Subscriber, take_part};
use holds::HoldRepository;
use lambda_runtime::LambdaEvent;
use lambda_support::clock;
use sqs_batch::{SqsBatch, UnidentifiedFailure, VisibilityTimeout};

/// What every batch needs.
#[derive(Debug)]
pub(crate) struct Handler<R, P, V> {
    /// Where holds and counters are kept.
    pub(crate) holds: R,
    /// Where the step's votes are published.
    pub(crate) outcomes: P,
    /// Reads the events.
    pub(crate) subscriber: Subscriber<V>,
}

impl<R: HoldRepository + Sync, P: EventPublisher, V: VisibilityTimeout> Handler<R, P, V> {
    /// Holds, confirms or undoes for every event of a batch, and answers with the messages that must be redelivered.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered.
    pub(crate) async fn handle(&self, event: LambdaEvent<SqsBatch>) -> Result<SqsBatchResponse, UnidentifiedFailure> {
        let handle = async |delivery: Delivery| {
            let now = clock::now();
            let step = AuthorizePayment { holds: &self.holds, now };
            take_part(&step, &self.outcomes, delivery, now).await
        };
        self.subscriber.handle(event.payload, event.context.deadline(), handle).await
    }
}

#[cfg(test)]
mod tests;
