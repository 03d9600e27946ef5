//! `infra/local/compose.yaml`, which this project cannot run: what must hold before somebody does.

use crate::cloudformation::yaml;
use serde_json::Value;
use testkit::repository;

fn service() -> Value {
    let compose = yaml(&repository::read("infra/local/compose.yaml"));
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.len(), 1, "one container, which starts those of functions");
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
fn it_listens_on_loopback_alone() {
    let service = service();

    for port in service["ports"].as_array().unwrap() {
        assert!(
            port.as_str().unwrap().starts_with("127.0.0.1:"),
            "{port}: everybody on the network could do everything"
        );
    }
    assert_eq!(service.get("network_mode"), None, "the machine's own network has no loopback of the container's own");
}

#[test]
fn it_does_not_start_without_a_token_and_has_none_in_it() {
    let token = service()["environment"]["LOCALSTACK_AUTH_TOKEN"].as_str().unwrap().to_owned();

    assert!(token.starts_with("${LOCALSTACK_AUTH_TOKEN:?") && token.ends_with('}'), "{token}");
}

#[test]
fn functions_run_in_containers_of_the_same_docker() {
    let volumes = service()["volumes"].clone();

    assert_eq!(volumes, serde_json::json!(["/var/run/docker.sock:/var/run/docker.sock"]));
}
