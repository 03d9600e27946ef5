//! The authorize-request function: the Lambda authorizer of the REST API and of the WebSocket API's `$connect`.

mod credentials;
mod handler;
mod key_source;
mod policy;
mod provider;

use access_tokens::{KeySet, Verifier};
use handler::Authorizer;
use key_source::KeySource;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{
    environment::{Environment, InvalidEnvironment},
    telemetry,
};
use provider::Provider;

struct Config {
    issuer: String,
    audience: String,
    /// Where the issuer publishes its keys; without it, `jwks` has them.
    jwks_url: Option<String>,
    jwks: Option<String>,
}

impl Config {
    fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = Environment::of_process();
        let config = Self {
            issuer: environment.text("JWT_ISSUER"),
            audience: environment.text("JWT_AUDIENCE"),
            jwks_url: environment.optional_url("JWKS_URL"),
            jwks: environment.optional_text("JWKS"),
        };
        environment.finish(config)
    }

    /// Pinned keys go first: whoever pins them wants no others.
    fn key_source(&self) -> Result<KeySource<Provider>, Error> {
        match (&self.jwks, &self.jwks_url) {
            (Some(jwks), _) => Ok(KeySource::pinned(KeySet::parse(jwks)?)),
            (None, Some(url)) => Ok(KeySource::fetched(Provider::new(url)?)),
            (None, None) => Err("invalid environment: neither JWKS nor JWKS_URL is set".into()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let keys = config.key_source()?;
    // A provider that does not answer now may later: until then nobody is let in.
    keys.current().await;
    let authorizer = Authorizer { verifier: Verifier::new(config.issuer, config.audience), keys };
    let authorizer = &authorizer;
    run(service_fn(|event: LambdaEvent<_>| async move { Ok::<_, Error>(authorizer.authorize(event.payload).await?) }))
        .await
}
