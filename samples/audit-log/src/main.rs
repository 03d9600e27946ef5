//! The audit-log function: records every event of every order.

use aws_sdk_dynamodb::{Client, types::AttributeValue::S};
use event_bus::{Delivery, HandleError, Subscriber};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{environment::Environment, sdk::Aws, telemetry};
use shared_kernel::RepositoryError;
use sqs_batch::{Backoff, BatchHandler, SqsBatch};

/// Writes one event. Each delivery of an event writes the same item, so the log has the event once.
async fn log(client: &Client, table: &str, Delivery { event, .. }: Delivery) -> Result<(), HandleError> {
    let put = client.put_item().table_name(table).item("pk", S(format!("{}#{}", event.owner, event.order_id)));
    let put = put.item("sk", S(event.kind.name())).item("event", S(event.to_json()));
    put.send().await.map_err(|error| RepositoryError::Unavailable(error.into()))?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let (aws, table) = (Aws::from_env(&mut environment), environment.text("AUDIT_TABLE_NAME"));
    let max_receive_count = environment.number("MAX_RECEIVE_COUNT");
    let (aws, table) = environment.finish((aws, table))?;
    let client = Client::new(aws.config());
    let subscriber = Subscriber { batches: BatchHandler::new(), max_receive_count, backoff: Backoff::NONE };
    run(service_fn(async |event: LambdaEvent<SqsBatch>| {
        let deadline = event.context.deadline();
        Ok::<_, Error>(subscriber.handle(event.payload, deadline, |delivery| log(&client, &table, delivery)).await?)
    }))
    .await
}
