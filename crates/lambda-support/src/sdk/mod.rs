//! How the functions talk to AWS.

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
use futures_util::future::join;
use http_client::HttpClient;
use std::time::Duration;
use tokio::task::yield_now;

/// How long and how often one request is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest single attempt.
    attempt: Duration,
    /// Attempts in all.
    attempts: u32,
    /// Longest back-off between two attempts; it begins at [`INITIAL_BACKOFF`] and doubles.
    backoff: Duration,
    /// Longest request, where it is less than all its attempts may take. Each clock that runs costs a system call.
    request: Option<Duration>,
}

/// Back-off before the second attempt; the SDK's own default of 1 s is most of an invocation.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

impl Patience {
    /// For requests that somebody repeats when they fail, the caller in the sync lane, the queue in the async lane:
    /// a database in trouble is left to recover. DynamoDB answers in milliseconds.
    pub const SHORT: Self =
        Self { attempt: Duration::from_millis(1200), attempts: 3, backoff: Duration::from_millis(200), request: None };

    /// For requests that nobody repeats when they fail: those that tell an owner.
    pub const LONG: Self = Self {
        attempt: Duration::from_secs(1),
        attempts: 10,
        backoff: Duration::from_secs(1),
        request: Some(Duration::from_secs(5)),
    };

    /// Longest request, retries and back-off included: a function's timeout must leave room for those it makes one
    /// after the other.
    #[must_use]
    pub fn request_limit(self) -> Duration {
        self.request.unwrap_or_else(|| self.attempt * self.attempts + self.backoff * (self.attempts - 1))
    }

    fn timeouts(self) -> TimeoutConfig {
        let mut timeouts = TimeoutConfig::builder().operation_attempt_timeout(self.attempt);
        timeouts.set_operation_timeout(self.request);
        timeouts.build()
    }

    fn retries(self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(INITIAL_BACKOFF)
            .with_max_backoff(self.backoff)
    }
}

/// Turns of the event loop after which a host that is near has been sent all that can be before it answers: in one the
/// connection opens, in one hyper takes it over, and in one the request is written.
const TURNS_TO_SEND: usize = 3;

/// Retries that no other client of the process uses up, bounded by their [`Patience`] alone.
///
/// Unless told otherwise, all clients of one service share a bucket of 500 tokens, of which a retry costs ten or so: a
/// single socket that hangs would take away the retries of everybody else's. Source: aws-smithy-runtime,
/// `retries::TokenBucket`.
#[must_use]
pub fn own_retries(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name).token_bucket(TokenBucket::unlimited()).build()
}

/// AWS, as a function of this process reaches it.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    http_client: HttpClient,
    /// Where DynamoDB is; `None` where an endpoint is asked for that only the SDK itself finds.
    dynamodb_url: Option<String>,
}

impl Aws {
    /// Reads what Lambda sets in every function's environment: region, credentials, and endpoints where somebody wants
    /// others than AWS's (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and the like). Nothing else is asked: no
    /// profile, no metadata service. What is wrong is told by [`Environment::finish`].
    pub fn of(environment: &mut Environment) -> Self {
        let region = environment.text("AWS_REGION");
        let credentials = Credentials::new(
            environment.text("AWS_ACCESS_KEY_ID"),
            environment.text("AWS_SECRET_ACCESS_KEY"),
            environment.optional_text("AWS_SESSION_TOKEN"),
            None,
            "Lambda's environment",
        );
        let endpoints = Endpoints::of(environment);
        let http_client = HttpClient::of(environment);
        // Source: AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS endpoints".
        let [fips, dual_stack] =
            ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"].map(|name| environment.is_true(name));
        let dynamodb_url = endpoints.of_service("DynamoDB").or_else(|| {
            // Source: Amazon DynamoDB Developer Guide, "Regions and endpoints"; AWS China has a domain of its own.
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            (!fips && !dual_stack).then(|| format!("https://dynamodb.{region}.amazonaws.com{suffix}"))
        });
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .use_fips(fips)
            .use_dual_stack(dual_stack)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client.shared())
            .timeout_config(Patience::SHORT.timeouts())
            .retry_config(Patience::SHORT.retries())
            .service_config(endpoints)
            // Nothing to keep: they are in memory as it is.
            .identity_cache(IdentityCache::no_cache())
            // An attempt that stalls ends by its timeout; answers are small.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self { config, http_client, dynamodb_url }
    }

    /// Settings for every SDK client of a function, with [`Patience::SHORT`].
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The same settings with that patience.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> SdkConfig {
        self.config.to_builder().timeout_config(patience.timeouts()).retry_config(patience.retries()).build()
    }

    /// Opens the connection to DynamoDB, and one to `also`, before the first event does: Lambda gives a function that
    /// starts a whole processor, and the caller of the first event waits for no handshake.
    ///
    /// Meanwhile it does what `prepare` does, whose result it gives: an SDK client reads its tables when it is made, as
    /// long as the other side takes for an answer. That must take far less than a second, or the connection is
    /// given up.
    pub async fn connect_while<T>(&self, also: Option<&str>, prepare: impl FnOnce() -> T) -> T {
        let preparing = async {
            for _ in 0..TURNS_TO_SEND {
                yield_now().await;
            }
            prepare()
        };
        join(self.http_client.open(self.dynamodb_url.as_deref().into_iter().chain(also)), preparing).await.1
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

    /// Far more than anything here takes; who waits that long waits in vain.
    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_is_prepared_is_prepared_between_asking_and_being_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (asked, was_asked) = mpsc::channel();
        let (prepared, was_prepared) = mpsc::channel();
        // Answers when it may, and tells how much it was asked on the same connection afterwards.
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it listens");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).expect("a request");
            asked.send(()).expect("somebody waits");
            was_prepared.recv_timeout(LONG).expect("it is prepared before the answer");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("who asked is there");
            stream.read(&mut request).expect("who asked is there")
        });
        let mut environment = Environment::of([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &url),
        ]);
        let aws = Aws::of(&mut environment);

        let prepare = || {
            was_asked.recv_timeout(LONG).expect("it was asked first");
            prepared.send(()).expect("it waits");
            "prepared"
        };
        assert_eq!(aws.connect_while(None, prepare).await, "prepared");

        // Had the answer not come in time, the connection would have been given up.
        aws.http_client.open([url.as_str()]).await;
        assert!(server.join().expect("it did not panic") > 0);
    }
}
