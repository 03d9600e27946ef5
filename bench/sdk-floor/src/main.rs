//! Reads its event and writes one item with the AWS SDK and the project's SDK settings, without logs, checks and
//! problem responses. This is the least work of a function that writes.

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{environment::Environment, sdk::Aws};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    let aws = Aws::from_env(&mut environment);
    let table_name = environment.text("ORDERS_TABLE_NAME");
    let (aws, table_name) = &environment.finish((aws, table_name))?;
    let client = &aws.warm_up(aws.dynamodb_url(), || Client::new(aws.config())).await;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let name = event.payload["path"].as_str().unwrap_or("world").to_owned();
        client.put_item().table_name(table_name).item("pk", AttributeValue::S(name)).send().await?;
        Ok::<_, Error>("stored")
    }))
    .await
}
