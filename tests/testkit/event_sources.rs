//! The queues that invoke a function.

use crate::eventually::eventually;
use aws_sdk_lambda::Client;
use std::time::Duration;

/// Enables or disables all queues of a function, and waits until they are.
pub async fn set_enabled(lambda: &Client, function: &str, enabled: bool, deadline: Duration) {
    let wanted = if enabled { "Enabled" } else { "Disabled" };
    let mappings = lambda.list_event_source_mappings().function_name(function).send().await;
    let mappings = mappings.expect("event source mappings can be listed");
    for mapping in mappings.event_source_mappings() {
        let id = mapping.uuid().expect("a mapping has an id");
        let request = lambda.update_event_source_mapping().uuid(id).enabled(enabled);
        request.send().await.expect("the event source mapping can be changed");
        eventually(deadline, &format!("the event source mapping is {wanted}"), async || {
            let mapping = lambda.get_event_source_mapping().uuid(id).send().await.unwrap();
            (mapping.state() == Some(wanted)).then_some(())
        })
        .await;
    }
}
