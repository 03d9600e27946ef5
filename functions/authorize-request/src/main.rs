//! The authorize-request function: the Lambda authorizer of the REST API and of the WebSocket API's `$connect`.

mod config;
mod credentials;
mod handler;
mod key_source;
mod policy;
mod provider;

use access_tokens::{KeySet, Verifier};
use config::Config;
use handler::Authorizer;
use key_source::KeySource;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lambda_support::{environment::Environment, telemetry};
use orders::ErrorChain;
use provider::Provider;

/// Pinned keys exclude others.
fn key_source(config: &Config) -> Result<KeySource<Provider>, String> {
    match (&config.jwks, &config.jwks_url) {
        (Some(jwks), _) => KeySet::parse(jwks).map(KeySource::pinned).map_err(|error| invalid("JWKS", &error)),
        (None, Some(url)) => Provider::new(url).map(KeySource::fetched).map_err(|error| invalid("JWKS_URL", &error)),
        (None, None) => Err("invalid environment: neither JWKS nor JWKS_URL is set".to_owned()),
    }
}

fn invalid(variable: &str, error: &(dyn std::error::Error + 'static)) -> String {
    format!("invalid environment: {variable} cannot be used: {}", ErrorChain(error))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::from_process();
    telemetry::init(&mut environment);
    let config = Config::from_env(&mut environment);
    let config = environment.finish(config)?;

    let keys = key_source(&config)?;
    // If the provider does not answer, every request fails until it does.
    keys.current().await;
    let authorizer = Authorizer { verifier: Verifier::new(config.issuer, config.audience), keys };
    let authorizer = &authorizer;
    run(service_fn(|event: LambdaEvent<_>| async move { Ok::<_, Error>(authorizer.authorize(event.payload).await?) }))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(jwks: Option<&str>, jwks_url: Option<&str>) -> Option<String> {
        let [jwks, jwks_url] = [jwks, jwks_url].map(|value| value.map(str::to_owned));
        key_source(&Config { issuer: String::new(), audience: String::new(), jwks_url, jwks }).err()
    }

    #[test]
    fn does_not_start_with_a_private_key_and_does_not_show_it() {
        let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"AA","d":"SECRET"}]}"#;

        let refusal = refusal(Some(jwks), None).expect("a private key is refused");

        assert!(
            refusal.starts_with("invalid environment: JWKS cannot be used: the key set has a private key"),
            "{refusal}"
        );
        assert!(!refusal.contains("SECRET"), "{refusal}");
    }

    #[test]
    fn does_not_start_with_keys_that_could_be_replaced_on_the_way() {
        let refusal = refusal(None, Some("http://issuer.example/jwks.json"));

        assert_eq!(
            refusal.as_deref(),
            Some("invalid environment: JWKS_URL cannot be used: it must begin with https://")
        );
    }
}
