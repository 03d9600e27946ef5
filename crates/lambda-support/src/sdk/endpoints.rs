//! Endpoints that replace AWS's.
//! Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".

use crate::environment::Environment;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::collections::BTreeMap;

/// The endpoint for all services, and the prefix of the variables for single ones.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// The services that functions use, as the variables name them.
const SERVICES: [&str; 4] = ["DYNAMODB", "SNS", "SQS", "APIGATEWAYMANAGEMENTAPI"];

/// Endpoints for single services take precedence.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    of_all: Option<String>,
    of_services: BTreeMap<&'static str, String>,
}

impl Endpoints {
    /// Reads none if `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
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

    /// The endpoint of a service, by its name in AWS's models.
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
    fn the_endpoint_of_a_single_service_takes_precedence() {
        let mut environment = Environment::from_iter([
            ("AWS_ENDPOINT_URL", "http://localhost:4566"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000"),
        ]);

        let endpoints = Endpoints::from_env(&mut environment);

        assert_eq!(endpoints.of_service("DynamoDB").as_deref(), Some("http://localhost:8000"));
        assert_eq!(endpoints.of_service("SQS").as_deref(), Some("http://localhost:4566"));
    }

    #[test]
    fn ignores_configured_endpoints_on_request() {
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
