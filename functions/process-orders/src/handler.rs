use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::LambdaEvent;
use orders::{Notifier, OrderRepository, process_queued_order};
use orders_sqs::Worker;
use sqs_batch::{SqsBatch, UnidentifiedFailure, VisibilityTimeout};

#[derive(Debug)]
pub(crate) struct Handler<R, N, V> {
    pub(crate) orders: R,
    pub(crate) worker: Worker<N, V>,
}

impl<R: OrderRepository, N: Notifier, V: VisibilityTimeout> Handler<R, N, V> {
    /// Handles one batch, and returns the messages that must be redelivered.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered.
    pub(crate) async fn handle(&self, event: LambdaEvent<SqsBatch>) -> Result<SqsBatchResponse, UnidentifiedFailure> {
        let process = |order| process_queued_order(&self.orders, order);
        self.worker.handle(event.payload, event.context.deadline(), process).await
    }
}

#[cfg(test)]
mod tests;
