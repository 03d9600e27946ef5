//! The deployer's domains for both APIs and the page, and the addresses that callers get.

use lanes::LANES;
use reqwest::Url;
use serde_json::{Value, json};
use testkit::template::{CreatedStack, ParameterSet, Place, Source, expand, stacks, text};

/// The parameters, and the prefix of the logical ids that belong to each.
const DOMAINS: [(&str, &str); 3] = [("ApiDomain", "Api"), ("SocketDomain", "Socket"), ("PageDomain", "Page")];

const PARTS: [&str; 5] = ["Certificate", "DomainName", "DomainMapping", "Ipv4Record", "Ipv6Record"];

/// Stacks with a parameter, and its value.
fn with(parameter: &str) -> impl Iterator<Item = (&'static CreatedStack, &'static str)> {
    let stacks = stacks().iter().map(move |stack| (stack, stack.parameters[parameter].as_str()));
    stacks.filter(|(_, value)| !value.is_empty())
}

fn given<'a>(stack: &'a CreatedStack, parameter: &str) -> Option<&'a str> {
    Some(stack.parameters[parameter].as_str()).filter(|value| !value.is_empty())
}

/// As given, or made by the stack.
fn certificate<'a>(stack: &'a CreatedStack, parameter: &str, id: &str) -> &'a str {
    given(stack, parameter).unwrap_or_else(|| &stack.resource(id).reference)
}

#[test]
fn without_a_domain_there_is_nothing_of_it() {
    for (parameter, prefix) in DOMAINS {
        let without: Vec<_> = stacks().iter().filter(|stack| stack.parameters[parameter].is_empty()).collect();
        assert!(without.iter().any(|stack| stack.name == "AWS, defaults"), "{parameter}: empty is the default");
        for stack in without {
            let parts = PARTS.map(|part| format!("{prefix}{part}"));
            let made: Vec<_> = parts.iter().filter(|id| stack.resources().contains_key(*id)).collect();
            assert!(made.is_empty(), "{}: {made:?}", stack.name);
            assert_eq!(stack.outputs.get(&format!("{parameter}Target")), None, "{}", stack.name);
            if parameter == "ApiDomain" {
                let api = &stack.resource("OrdersApi").properties;
                assert_eq!((api.get("SecurityPolicy"), api.get("EndpointAccessMode")), (None, None), "{}", stack.name);
            }
        }
    }
}

#[test]
fn both_apis_and_their_domains_take_ipv6() {
    for stack in stacks() {
        let rest = &stack.resource("OrdersApi").properties["EndpointConfiguration"];
        assert_eq!(*rest, json!({"Types": ["REGIONAL"], "IpAddressType": "dualstack"}), "{}", stack.name);
        for (_, domain) in stack.of_type("AWS::ApiGateway::DomainName") {
            assert_eq!(domain.properties["EndpointConfiguration"], *rest, "{}", stack.name);
        }
        for (_, api) in stack.of_type("AWS::ApiGatewayV2::Api") {
            assert_eq!(api.properties["IpAddressType"], "dualstack", "{}", stack.name);
        }
        for (_, domain) in stack.of_type("AWS::ApiGatewayV2::DomainName") {
            let configuration = &domain.properties["DomainNameConfigurations"][0];
            assert_eq!(configuration["IpAddressType"], "dualstack", "{}", stack.name);
        }
    }
}

#[test]
fn a_domain_leads_to_the_stage_of_its_api_without_a_path() {
    for (stack, domain) in with("ApiDomain") {
        let api = &stack.only("AWS::ApiGateway::RestApi").unwrap().reference;
        let mapping = &stack.resource("ApiDomainMapping").properties;
        assert_eq!(*mapping, json!({"DomainName": domain, "RestApiId": api, "Stage": stack.stage()}), "{}", stack.name);
    }
    for (stack, domain) in with("SocketDomain") {
        let api = &stack.only("AWS::ApiGatewayV2::Api").unwrap().reference;
        let mapping = &stack.resource("SocketDomainMapping").properties;
        assert_eq!(*mapping, json!({"DomainName": domain, "ApiId": api, "Stage": stack.stage()}), "{}", stack.name);
    }
    for (stack, domain) in with("PageDomain") {
        let config = &stack.resource("PageDistribution").properties["DistributionConfig"];
        assert_eq!(config["Aliases"], json!([domain]), "{}", stack.name);
    }
}

/// API Gateway negotiates by the policy of the REST API, also for its domain.
#[test]
fn domains_take_tls_1_2_and_newer() {
    let policy = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09";
    for (stack, domain) in with("ApiDomain") {
        let certificate = certificate(stack, "CertificateArn", "ApiCertificate");
        let properties = &stack.resource("ApiDomainName").properties;
        assert_eq!(properties["DomainName"], domain, "{}", stack.name);
        assert_eq!(properties["RegionalCertificateArn"], certificate, "{}", stack.name);
        for id in ["OrdersApi", "ApiDomainName"] {
            let properties = &stack.resource(id).properties;
            let found = (&properties["SecurityPolicy"], &properties["EndpointAccessMode"]);
            assert_eq!(found, (&json!(policy), &json!("STRICT")), "{}, {id}", stack.name);
        }
    }
    for (stack, domain) in with("SocketDomain") {
        let properties = &stack.resource("SocketDomainName").properties;
        let configuration = json!([{
            "CertificateArn": certificate(stack, "CertificateArn", "SocketCertificate"),
            "EndpointType": "REGIONAL", "IpAddressType": "dualstack", "SecurityPolicy": "TLS_1_2",
        }]);
        assert_eq!(properties["DomainName"], domain, "{}", stack.name);
        assert_eq!(properties["DomainNameConfigurations"], configuration, "{}", stack.name);
    }
    for (stack, _) in with("PageDomain") {
        let config = &stack.resource("PageDistribution").properties["DistributionConfig"];
        let certificate = json!({
            "AcmCertificateArn": certificate(stack, "PageCertificateArn", "PageCertificate"),
            "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only",
        });
        assert_eq!(config["ViewerCertificate"], certificate, "{}", stack.name);
        assert!(text(&certificate["AcmCertificateArn"]).contains(":us-east-1:"), "{}", stack.name);
    }
}

#[test]
fn the_stack_makes_the_certificates_that_are_not_given_in_the_hosted_zone() {
    let mut made = 0;
    for (parameter, prefix) in DOMAINS {
        let arn = if parameter == "PageDomain" { "PageCertificateArn" } else { "CertificateArn" };
        for (stack, domain) in with(parameter) {
            let found = stack.resources().get(&format!("{prefix}Certificate")).map(|found| &found.properties);
            let expected = given(stack, arn).is_none().then(|| {
                let zone = &stack.parameters["HostedZoneId"];
                json!({"DomainName": domain, "ValidationMethod": "DNS",
                    "DomainValidationOptions": [{"DomainName": domain, "HostedZoneId": zone}]})
            });
            made += usize::from(expected.is_some());
            assert_eq!(found, expected.as_ref(), "{}", stack.name);
        }
    }
    assert!(made > 3);
}

#[test]
fn a_hosted_zone_leads_each_domain_there_by_ipv4_and_ipv6() {
    for (parameter, prefix) in DOMAINS {
        for (stack, domain) in with(parameter) {
            let target = text(&stack.outputs[&format!("{parameter}Target")]);
            let zone_of_target = match parameter {
                // Of all distributions. Source: Amazon Route 53 API Reference, "AliasTarget", HostedZoneId.
                "PageDomain" => "Z2FDTNDATAQYW2".to_owned(),
                _ => format!("Z{}DOMAINNAME", prefix.to_uppercase()),
            };
            for (id, kind) in [("Ipv4Record", "A"), ("Ipv6Record", "AAAA")] {
                let record = stack.resources().get(&format!("{prefix}{id}")).map(|record| &record.properties);
                let expected = given(stack, "HostedZoneId").map(|zone| {
                    json!({"HostedZoneId": zone, "Name": domain, "Type": kind,
                        "AliasTarget": {"DNSName": target, "HostedZoneId": zone_of_target}})
                });
                assert_eq!(record, expected.as_ref(), "{}, {id}", stack.name);
            }
        }
    }
}

/// `Location` is relative in all lanes. Notifications have the whole address.
#[test]
fn location_and_order_url_are_the_same_address_with_and_without_a_domain() {
    let id = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";
    for stack in stacks() {
        let api = text(&stack.outputs["ApiUrl"]);
        let worker = &stack.resource("SettleOrderFunction").properties["Environment"]["Variables"];
        let order_url = format!("{}/{id}", text(&worker["ORDERS_URL"]));
        for lane in &LANES {
            let request = Url::parse(&format!("{api}/{}/{id}", lane.path)).unwrap();
            let location = request.join(&format!("../../orders/{id}")).unwrap();
            assert_eq!(location.as_str(), order_url, "{}", stack.name);
        }
    }
    for (stack, domain) in with("ApiDomain") {
        assert_eq!(stack.outputs["ApiUrl"], format!("https://{domain}"), "{}", stack.name);
    }
}

#[test]
fn the_pages_origin_is_its_domain() {
    for stack in stacks().iter().filter(|stack| stack.outputs.contains_key("PageUrl")) {
        let stage = &stack.only("AWS::ApiGateway::Stage").unwrap().properties;
        let origins = text(&stage["Variables"]["corsAllowedOrigins"]);
        assert_eq!(origins.split(',').next(), stack.outputs["PageUrl"].as_str(), "{}", stack.name);
        // Source: Amazon API Gateway Developer Guide, "Amazon API Gateway quotas", stage variable values.
        assert!(origins.len() <= 512, "{}", stack.name);
    }
    for (stack, domain) in with("PageDomain") {
        assert_eq!(stack.outputs["PageUrl"], format!("https://{domain}"), "{}", stack.name);
    }
}

/// The stage variable has room for the longest list with the longest domain.
#[test]
fn the_list_of_origins_leaves_room_for_the_pages_domain() {
    let template = expand(&Source::default(), &[ParameterSet::new("defaults", Place::IRELAND, &[])]).remove(0);
    let longest = |parameter: &str| template["Parameters"][parameter]["MaxLength"].as_u64().unwrap();

    assert!("https://,".len() as u64 + longest("PageDomain") + longest("CorsAllowedOrigins") <= 512);
}

/// A place, parameters, and what refuses them.
type Case = (Place, &'static [(&'static str, &'static str)], Option<&'static str>);

#[test]
fn rules_refuse_domains_that_cannot_work() {
    const ZONE: (&str, &str) = ("HostedZoneId", "Z0123456789ABCDEFGHIJ");
    const API: (&str, &str) = ("ApiDomain", "api.example.com");
    const SOCKET: (&str, &str) = ("SocketDomain", "socket.example.com");
    const PAGE: (&str, &str) = ("PageDomain", "orders.example.com");
    const HOSTED: (&str, &str) = ("Page", "cloudfront");
    let cases: [Case; 13] = [
        (Place::IRELAND, &[API, SOCKET, ZONE], None),
        (Place::IRELAND, &[API], Some("AnApisDomainHasACertificate")),
        (Place::IRELAND, &[SOCKET], Some("AnApisDomainHasACertificate")),
        (Place::IRELAND, &[SOCKET, ZONE, ("Callbacks", "none")], Some("ASocketDomainHasAnApi")),
        (Place::IRELAND, &[API, ("SocketDomain", API.1), ZONE], Some("ASocketDomainHasAnApi")),
        (Place::VIRGINIA, &[PAGE, ZONE, HOSTED], None),
        (Place::IRELAND, &[PAGE, ZONE, HOSTED], Some("APagesDomainHasACertificate")),
        (Place::VIRGINIA, &[PAGE, HOSTED], Some("APagesDomainHasACertificate")),
        (Place::VIRGINIA, &[PAGE, ZONE], Some("APagesDomainHasACertificate")),
        (Place::VIRGINIA, &[("PageDomain", SOCKET.1), SOCKET, ZONE, HOSTED], Some("ASocketDomainHasAnApi")),
        (Place::VIRGINIA, &[("PageDomain", API.1), API, ZONE, HOSTED], Some("AnApiDomainIsNotThePages")),
        (Place::IRELAND, &[("ApiDomain", "*.example.com"), ZONE], Some("ApiDomain must not be \"*.example.com\"")),
        (Place::IRELAND, &[("ApiDomain", "API.example.com"), ZONE], Some("ApiDomain must not be \"API.example.com\"")),
    ];
    let sets: Vec<_> =
        cases.iter().map(|(place, given, _)| ParameterSet::new(&format!("{given:?}"), *place, given)).collect();
    let templates: Vec<Value> = expand(&Source::default(), &sets);

    for ((set, template), (_, _, refused)) in sets.into_iter().zip(&templates).zip(cases) {
        let stack = CreatedStack::new(set, template);
        let is_as_expected = match refused {
            Some(why) => stack.problems.iter().any(|problem| problem.contains(why)),
            None => stack.problems.is_empty(),
        };
        assert!(is_as_expected, "{}: {:?}", stack.name, stack.problems);
    }
}

#[test]
fn a_local_stack_takes_no_domain() {
    let local = stacks().iter().find(|stack| stack.name == "local").unwrap();
    let mut given = local.parameters.clone();
    given.extend(
        [("ApiDomain", "api.example.com"), ("HostedZoneId", "Z0")].map(|(name, value)| (name.into(), value.into())),
    );
    let set = ParameterSet { name: "local, a domain".into(), place: Place::LOCAL, given };
    let template = expand(&Source::default(), std::slice::from_ref(&set)).remove(0);

    let problems = CreatedStack::new(set, &template).problems;

    assert_eq!(problems, ["the rule ALocalStackHasAnIssuerAndNoDomains does not hold"]);
}
