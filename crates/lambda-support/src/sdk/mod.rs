//! Settings of the AWS SDK.

mod endpoints;
mod http_client;

use crate::environment::Environment;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime::client::{
    identity::IdentityCache,
    retries::{RetryPartition, TokenBucket},
};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use endpoints::Endpoints;
use http_client::HttpClient;
use std::time::Duration;

/// Timeouts and retries of one request.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    attempt_timeout: Duration,
    max_attempts: u32,
    /// The back-off starts at [`INITIAL_BACKOFF`] and doubles up to this.
    max_backoff: Duration,
    /// A limit for the whole request, if it is shorter than all attempts. Each timer costs a system call.
    request_timeout: Option<Duration>,
}

/// Before the second attempt. The SDK's default of 1 s would be most of an invocation.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

impl RetryPolicy {
    /// For requests that the caller or the queue repeats after a failure. Few attempts let an overloaded database
    /// recover. DynamoDB answers in milliseconds.
    pub const DATABASE: Self = Self {
        attempt_timeout: Duration::from_millis(1200),
        max_attempts: 3,
        max_backoff: Duration::from_millis(200),
        request_timeout: None,
    };

    /// For notifications and their look-ups, which are not repeated after a failure.
    pub const NOTIFICATIONS: Self = Self {
        attempt_timeout: Duration::from_secs(1),
        max_attempts: 10,
        max_backoff: Duration::from_secs(1),
        request_timeout: Some(Duration::from_secs(5)),
    };

    /// Longest duration of a request, including retries and back-off. A function's timeout must exceed the sum over all
    /// its sequential requests.
    #[must_use]
    pub fn request_limit(self) -> Duration {
        self.request_timeout
            .unwrap_or_else(|| self.attempt_timeout * self.max_attempts + self.max_backoff * (self.max_attempts - 1))
    }

    fn timeouts(self) -> TimeoutConfig {
        let mut timeouts = TimeoutConfig::builder().operation_attempt_timeout(self.attempt_timeout);
        timeouts.set_operation_timeout(self.request_timeout);
        timeouts.build()
    }

    fn retries(self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.max_attempts)
            .with_initial_backoff(INITIAL_BACKOFF)
            .with_max_backoff(self.max_backoff)
    }
}

/// Retries that only the client's [`RetryPolicy`] limits. By default all clients of one service share a bucket of 500
/// tokens, and a retry costs about ten. So one socket that hangs would use up the retries of all others. Source:
/// aws-smithy-runtime, `retries::TokenBucket`.
#[must_use]
pub fn separate_retries(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name).token_bucket(TokenBucket::unlimited()).build()
}

/// The AWS settings and connections of this process.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    http_client: HttpClient,
    dynamodb_url: Option<String>,
    sns_url: Option<String>,
}

impl Aws {
    /// Reads the region and the credentials from the environment, as Lambda sets them, but no profiles or metadata
    /// services. `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and similar variables replace AWS's endpoints.
    /// [`Environment::finish`] reports problems.
    pub fn from_env(environment: &mut Environment) -> Self {
        let region = environment.text("AWS_REGION");
        let credentials = Credentials::new(
            environment.text("AWS_ACCESS_KEY_ID"),
            environment.text("AWS_SECRET_ACCESS_KEY"),
            environment.optional_text("AWS_SESSION_TOKEN"),
            None,
            "Lambda's environment",
        );
        let endpoints = Endpoints::from_env(environment);
        let http_client = HttpClient::from_env(environment);
        // Source: AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS endpoints".
        let [fips, dual_stack] =
            ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"].map(|name| environment.is_true(name));
        let [dynamodb_url, sns_url] = ["DynamoDB", "SNS"].map(|service| {
            endpoints.of_service(service).or_else(|| {
                // Source: AWS General Reference, "Service endpoints and quotas"; AWS China has a separate domain.
                let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
                let name = service.to_lowercase();
                (!fips && !dual_stack).then(|| format!("https://{name}.{region}.amazonaws.com{suffix}"))
            })
        });
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .use_fips(fips)
            .use_dual_stack(dual_stack)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client.shared())
            .timeout_config(RetryPolicy::DATABASE.timeouts())
            .retry_config(RetryPolicy::DATABASE.retries())
            .service_config(endpoints)
            // The credentials are in memory.
            .identity_cache(IdentityCache::no_cache())
            // The attempt timeout ends stalled attempts, and responses are small.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self { config, http_client, dynamodb_url, sns_url }
    }

    /// Settings for SDK clients, with [`RetryPolicy::DATABASE`].
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The same settings with another retry policy.
    #[must_use]
    pub fn config_with(&self, policy: RetryPolicy) -> SdkConfig {
        self.config.to_builder().timeout_config(policy.timeouts()).retry_config(policy.retries()).build()
    }

    /// The URL of DynamoDB; `None` with FIPS or dual-stack endpoints, which only the SDK resolves.
    #[must_use]
    pub fn dynamodb_url(&self) -> Option<&str> {
        self.dynamodb_url.as_deref()
    }

    /// The URL of Amazon SNS; `None` as for [`Aws::dynamodb_url`].
    #[must_use]
    pub fn sns_url(&self) -> Option<&str> {
        self.sns_url.as_deref()
    }

    /// Opens a connection to the host of each URL, so that the first event does not wait for handshakes. If a host does
    /// not answer within a second, the first request that needs it connects. `make` creates clients meanwhile: see
    /// `docs/decisions/0036-clients-are-made-while-connecting.md`.
    pub async fn warm_up<T>(&self, urls: impl IntoIterator<Item = &str>, make: impl FnOnce() -> T) -> T {
        self.http_client.open(urls, make).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::mpsc,
        thread,
    };

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn clients_are_created_while_the_host_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (asked, was_asked) = mpsc::channel();
        let (made, was_made) = mpsc::channel();
        // Answers once the client is created. Returns the size of the next request on the same connection.
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it listens");
            let mut request = [0; 1024];
            asked.send(stream.read(&mut request).expect("a request")).expect("the test waits");
            was_made.recv_timeout(LONG).expect("it is made before the answer");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("the client is connected");
            stream.read(&mut request).expect("the client is connected")
        });
        let mut environment = Environment::from_iter([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &url),
        ]);
        let aws = Aws::from_env(&mut environment);
        assert_eq!(aws.dynamodb_url(), Some(url.as_str()));

        // Blocks the thread, so nothing more can be written meanwhile.
        let make_client = || {
            assert!(was_asked.recv_timeout(LONG).expect("it asks first") > 0);
            made.send(()).expect("the server waits");
            "client"
        };
        assert_eq!(aws.warm_up(aws.dynamodb_url(), make_client).await, "client");

        // A connection that timed out would not be reused.
        aws.warm_up(aws.dynamodb_url(), || ()).await;
        assert!(server.join().expect("it did not panic") > 0);
    }

    #[tokio::test]
    async fn clients_are_created_even_if_no_host_answers() {
        let mut environment = Environment::from_iter([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]);
        let aws = Aws::from_env(&mut environment);

        // Port 9 of loopback has no server.
        assert_eq!(aws.warm_up(["http://127.0.0.1:9", "not a URL"], || "client").await, "client");
        assert_eq!(aws.warm_up(None, || "client").await, "client");
    }
}
