use crate::{Event, EventPublisher, PublishError};
use aws_sdk_sns::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::publish::PublishError as SnsError,
    types::MessageAttributeValue,
};

/// The message attribute with the event's type. Subscriptions filter by it. Data type `String`.
pub const EVENT_TYPE_ATTRIBUTE: &str = "eventType";

/// SNS, or AWS KMS behind it, is over a limit: a retry may succeed. Source: Amazon SNS API Reference, `Publish`,
/// errors.
const THROTTLING_CODES: [&str; 4] = ["Throttled", "Throttling", "ThrottlingException", "KMSThrottling"];

/// Publishes to a topic of Amazon SNS. Needs the permission `sns:Publish` on it.
#[derive(Clone, Debug)]
pub struct SnsPublisher {
    client: Client,
    topic_arn: String,
}

impl SnsPublisher {
    /// Publishes to the topic `topic_arn`.
    #[must_use]
    pub fn new(client: Client, topic_arn: impl Into<String>) -> Self {
        Self { client, topic_arn: topic_arn.into() }
    }
}

impl EventPublisher for SnsPublisher {
    async fn publish(&self, event: &Event) -> Result<String, PublishError> {
        let event_type = MessageAttributeValue::builder().data_type("String").string_value(event.kind.name()).build();
        let event_type = event_type.map_err(|error| PublishError::Refused(error.into()))?;
        let publish = self.client.publish().topic_arn(&self.topic_arn).message(event.to_json());
        match publish.message_attributes(EVENT_TYPE_ATTRIBUTE, event_type).send().await {
            Ok(published) => Ok(published.message_id.unwrap_or_default()),
            Err(error) => Err(publish_error(error)),
        }
    }
}

fn publish_error(error: SdkError<SnsError>) -> PublishError {
    let refused = match &error {
        SdkError::ServiceError(context) if context.raw().status().is_server_error() => false,
        SdkError::ServiceError(context) => context.err().code().is_some_and(|code| !THROTTLING_CODES.contains(&code)),
        SdkError::ConstructionFailure(_) => true,
        _ => false,
    };
    if refused { PublishError::Refused(error.into()) } else { PublishError::Unavailable(error.into()) }
}
