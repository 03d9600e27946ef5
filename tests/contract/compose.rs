//! Checks `infra/local/compose.yaml`, which this project cannot run.

use crate::cloudformation::yaml;
use serde_json::Value;
use testkit::repository;

fn service() -> Value {
    let compose = yaml(&repository::read("infra/local/compose.yaml"));
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.len(), 1, "one container, which starts those of the functions");
    services["localstack"].clone()
}

#[test]
fn the_image_is_one_version() {
    let image = service()["image"].as_str().unwrap().to_owned();

    let (name, version) = image.rsplit_once(':').expect("write the version");
    assert_eq!(name, "localstack/localstack-pro");
    assert!(version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok()), "{image}");
}

#[test]
fn it_listens_only_on_loopback() {
    let service = service();

    for port in service["ports"].as_array().unwrap() {
        assert!(
            port.as_str().unwrap().starts_with("127.0.0.1:"),
            "{port}: the whole network would have access to the container"
        );
    }
    assert_eq!(service.get("network_mode"), None, "in the host's network, the container has no separate loopback");
}

#[test]
fn it_needs_a_token_from_the_environment() {
    let token = service()["environment"]["LOCALSTACK_AUTH_TOKEN"].as_str().unwrap().to_owned();

    assert!(token.starts_with("${LOCALSTACK_AUTH_TOKEN:?") && token.ends_with('}'), "{token}");
}

#[test]
fn functions_run_in_containers_of_the_same_docker() {
    let volumes = service()["volumes"].clone();

    assert_eq!(volumes, serde_json::json!(["/var/run/docker.sock:/var/run/docker.sock"]));
}
