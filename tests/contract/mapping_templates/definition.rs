//! Methods of the REST API and the templates of their integrations, as deployed to AWS.

use serde_json::Value;
use testkit::template::stacks;

fn definition() -> &'static Value {
    stacks()[0].rest_api()
}

pub(super) struct Integration {
    pub(super) path: &'static str,
    pub(super) method: &'static str,
    pub(super) definition: &'static Value,
}

pub(super) fn integrations(kind: &str) -> impl Iterator<Item = Integration> {
    let paths = definition()["paths"].as_object().unwrap().iter();
    let methods = paths.flat_map(|(path, methods)| methods.as_object().unwrap().iter().map(move |it| (path, it)));
    let integrations = methods.map(|(path, (method, definition))| Integration {
        path,
        method,
        definition: &definition["x-amazon-apigateway-integration"],
    });
    integrations.filter(move |integration| integration.definition["type"] == kind)
}

/// The only integration that sends to it.
pub(super) fn queue() -> Integration {
    integrations("aws").next().expect("one method of infra/openapi.yaml sends to the queue")
}

pub(super) fn gateway_responses() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let responses = definition()["x-amazon-apigateway-gateway-responses"].as_object().unwrap();
    responses.iter().map(|(name, response)| (name.as_str(), response))
}

pub(super) fn answer_template(response: &'static Value) -> &'static str {
    response["responseTemplates"]["application/json"].as_str().unwrap()
}
