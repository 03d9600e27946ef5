//! Endpoints configured instead of AWS's own.
//! Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".

use crate::environment::Environment;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::collections::BTreeMap;

/// What every variable about endpoints begins with.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Services of this project's functions, as the variables call them.
const SERVICES: [&str; 4] = ["DYNAMODB", "SNS", "SQS", "APIGATEWAYMANAGEMENTAPI"];

/// One endpoint for all services, and those of single services, which take precedence.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    of_all: Option<String>,
    of_services: BTreeMap<&'static str, String>,
}

impl Endpoints {
    /// Those of the environment; none when `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
    pub(super) fn from_env(environment: &mut Environment) -> Self {
        if environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return Self { of_all: None, of_services: BTreeMap::new() };
        }
        let of_services = SERVICES.into_iter().filter_map(|service| {
            let url = environment.optional_url(&format!("{ENDPOINT_URL}_{service}"))?;
            Some((service, url))
        });
        let of_services = of_services.collect();
        Self { of_all: environment.optional_url(ENDPOINT_URL), of_services }
    }

    /// That of a service, by the name that AWS's models give it.
    pub(super) fn of_service(&self, service: &str) -> Option<String> {
        let service = service.replace(' ', "_").to_uppercase();
        self.of_services.get(service.as_str()).or(self.of_all.as_ref()).cloned()
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.env() == ENDPOINT_URL).then(|| self.of_service(key.service_id())).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_own_endpoint_comes_before_that_of_all() {
        let mut environment = Environment::from_iter([
            ("AWS_ENDPOINT_URL", "http://localhost:4566"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000"),
        ]);

        let endpoints = Endpoints::from_env(&mut environment);

        assert_eq!(endpoints.of_service("DynamoDB").as_deref(), Some("http://localhost:8000"));
        assert_eq!(endpoints.of_service("SQS").as_deref(), Some("http://localhost:4566"));
    }

    #[test]
    fn uses_no_endpoint_when_they_are_to_be_ignored() {
        let mut environment = Environment::from_iter([
            ("AWS_ENDPOINT_URL", "http://localhost:4566"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ]);

        assert_eq!(Endpoints::from_env(&mut environment).of_service("SQS"), None);
    }

    #[test]
    fn reports_an_endpoint_that_is_not_a_url() {
        let mut environment = Environment::from_iter([("AWS_ENDPOINT_URL_SQS", "localhost:4566")]);

        Endpoints::from_env(&mut environment);

        let message = environment.finish(()).expect_err("it has no scheme").to_string();
        assert!(message.contains("AWS_ENDPOINT_URL_SQS"), "{message}");
    }
}
