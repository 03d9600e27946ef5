//! Reads its event and returns a greeting. No function on `lambda_runtime` can cost less.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let name = event.payload["path"].as_str().unwrap_or("world").to_owned();
        Ok::<_, Error>(format!("hello {name}"))
    }))
    .await
}
