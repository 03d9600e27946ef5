//! CloudFormation deploys the REST API only if the template has a deployment with a new name, not when the API changes.

use std::{fs, path::Path};
use testkit::{
    repository,
    template::{CreatedStack, ParameterSet, Place, Source, expand, stacks, text},
};

fn deployment(stack: &CreatedStack) -> (&str, &str) {
    let mut deployments = stack.of_type("AWS::ApiGateway::Deployment");
    let (id, deployment) = deployments.next().unwrap();
    assert!(deployments.next().is_none(), "{}: one deployment", stack.name);
    (id, &deployment.reference)
}

#[test]
fn the_one_stage_shows_the_one_deployment_of_the_one_api() {
    for stack in stacks() {
        let api = stack.only("AWS::ApiGateway::RestApi").unwrap();
        let stage = &stack.only("AWS::ApiGateway::Stage").unwrap().properties;
        let (id, deployment) = deployment(stack);

        assert_eq!(text(&stage["DeploymentId"]), deployment, "{}", stack.name);
        assert_eq!(text(&stage["RestApiId"]), api.reference, "{}", stack.name);
        assert_eq!(text(&stack.resource(id).properties["RestApiId"]), api.reference, "{}", stack.name);
        // Otherwise the deployment makes a second stage.
        assert_eq!(stack.resource(id).properties.get("StageName"), None, "{}", stack.name);
    }
}

/// At another time, with that definition of the API.
fn later(openapi: &Path, epoch: u64, parameters: &[(&str, &str)]) -> CreatedStack {
    let set = ParameterSet::new("later", Place::IRELAND, parameters);
    let source = Source { openapi: openapi.to_owned(), epoch };
    let template = expand(&source, std::slice::from_ref(&set)).remove(0);
    CreatedStack::new(set, &template)
}

#[test]
fn every_change_of_the_api_is_deployed() {
    let openapi = repository::root().join("infra/openapi.yaml");
    let changed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi-changed.yaml");
    let text = fs::read_to_string(&openapi).unwrap();
    fs::write(&changed, text.replacen("Use PUT.", "Use PUT, please.", 1)).unwrap();

    let now = later(&openapi, 1_764_111_600, &[]);
    let after_a_change = later(&changed, 1_764_111_660, &[]);
    let with_another_parameter = later(&openapi, 1_764_111_660, &[("CorsAllowedOrigins", "https://shop.example.com")]);

    assert_ne!(after_a_change.rest_api(), now.rest_api());
    for later in [after_a_change, with_another_parameter] {
        assert_ne!(deployment(&later).0, deployment(&now).0, "the change is not deployed");
    }
}
