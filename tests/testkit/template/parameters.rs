//! The sets of parameters under which the template must hold: those below, and every environment of `samconfig.toml`.

use super::{identifiers::Place, intrinsics::Evaluation};
use crate::repository;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A stack's parameters and place.
#[derive(Clone)]
pub struct ParameterSet {
    /// The name of the set.
    pub name: String,
    /// The stack's place.
    pub place: Place,
    /// Given parameters, by name.
    pub given: BTreeMap<String, String>,
}

const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// With pinned keys, as on the local cloud.
const PINNED_ISSUER: [(&str, &str); 3] =
    [("JwtIssuer", "https://issuer.example"), ("JwtAudience", "twolane"), ("Jwks", KEYS)];

/// As in `make up`. Source: `infra/local/localcloud/deploy.py`.
const LOCAL: [(&str, &str); 3] = [
    ("LocalEndpoint", "http://localhost:4566"),
    ("RedriveRoleArn", "arn:aws:iam::000000000000:root"),
    ("CorsAllowedOrigins", "http://localhost:3000"),
];

/// Users sign in at [`PINNED_ISSUER`].
const PAGE: [(&str, &str); 2] = [("Page", "cloudfront"), ("PageClientId", "page")];

const EVERY_OPTION: [(&str, &str); 6] = [
    ("Architecture", "x86_64"),
    ("CorsAllowedOrigins", "https://shop.example.com,https://admin.example.com"),
    ("KmsKeyArn", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("WebAcl", "true"),
    ("OrderRetentionDays", "30"),
    ("RedriveRoleArn", "arn:aws:iam::111122223333:role/operator"),
];

/// For each API and for the page.
const DOMAINS: [(&str, &str); 3] =
    [("ApiDomain", "api.example.com"), ("SocketDomain", "socket.example.com"), ("PageDomain", "orders.example.com")];

const HOSTED_ZONE: (&str, &str) = ("HostedZoneId", "Z0123456789ABCDEFGHIJ");

/// Not made by the stack.
const CERTIFICATES: [(&str, &str); 2] = [
    ("CertificateArn", "arn:aws:acm:eu-west-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("PageCertificateArn", "arn:aws:acm:us-east-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"),
];

/// Add new sets here.
pub(super) fn all() -> Vec<ParameterSet> {
    let sets = [
        ParameterSet::new("AWS, defaults", Place::IRELAND, &[]),
        ParameterSet::new("AWS China, defaults", Place::BEIJING, &[]),
        ParameterSet::new("AWS, every option", Place::IRELAND, &EVERY_OPTION).and(&PINNED_ISSUER).and(&PAGE),
        ParameterSet::new("AWS, the page", Place::IRELAND, &[("Page", "cloudfront")]),
        ParameterSet::new("AWS, domains in a hosted zone", Place::VIRGINIA, &[HOSTED_ZONE, ("Page", "cloudfront")])
            .and(&DOMAINS),
        ParameterSet::new("AWS, every option, domains with certificates", Place::IRELAND, &CERTIFICATES)
            .and(&DOMAINS)
            .and(&EVERY_OPTION)
            .and(&PINNED_ISSUER)
            .and(&PAGE),
        ParameterSet::new("AWS, a domain for the REST API", Place::IRELAND, &[HOSTED_ZONE, DOMAINS[0]])
            .and(&[("Page", "cloudfront")]),
        ParameterSet::new("AWS, the account's role for logs", Place::IRELAND, &[("ApiGatewayLogsRole", "account")]),
        ParameterSet::new("AWS, no callbacks", Place::IRELAND, &[("Callbacks", "none")]),
        ParameterSet::new("AWS, no list of orders", Place::IRELAND, &[("OrderListing", "none")]),
        ParameterSet::new("AWS, every option, no callbacks", Place::IRELAND, &[("Callbacks", "none")])
            .and(&EVERY_OPTION)
            .and(&PINNED_ISSUER),
        ParameterSet::new("local", Place::LOCAL, &LOCAL).and(&PINNED_ISSUER),
        ParameterSet::new("local, the page", Place::LOCAL, &PAGE).and(&LOCAL).and(&PINNED_ISSUER),
        ParameterSet::new("local, no callbacks", Place::LOCAL, &[("Callbacks", "none")])
            .and(&LOCAL)
            .and(&PINNED_ISSUER),
    ];
    sets.into_iter().chain(environments()).collect()
}

impl ParameterSet {
    /// These, and the template's defaults for all others.
    pub fn new(name: &str, place: Place, given: &[(&str, &str)]) -> Self {
        Self { name: name.to_owned(), place, given: BTreeMap::new() }.and(given)
    }

    /// These too, unless given.
    #[must_use]
    pub fn and(mut self, more: &[(&str, &str)]) -> Self {
        for (name, value) in more {
            self.given.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
        }
        self
    }
}

/// Deployed ones of `samconfig.toml`.
fn environments() -> Vec<ParameterSet> {
    let samconfig: toml::Table = repository::read("samconfig.toml").parse().unwrap();
    let deployed = samconfig.iter().filter_map(|(name, environment)| {
        let parameters = environment.get("deploy")?.get("parameters")?;
        let overrides = match parameters.get("parameter_overrides") {
            Some(toml::Value::Array(overrides)) => {
                overrides.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
            }
            overrides => words(overrides.map_or("", |all| all.as_str().unwrap())),
        };
        let given: Vec<_> = overrides.iter().map(|one| one.split_once('=').unwrap()).collect();
        let set = ParameterSet::new(&format!("samconfig.toml, {name}"), Place::IRELAND, &given);
        // `make up` makes an issuer for a local stack.
        let local = set.given.get("LocalEndpoint").is_some_and(|endpoint| !endpoint.is_empty());
        Some(if local { ParameterSet { place: Place::LOCAL, ..set }.and(&PINNED_ISSUER) } else { set })
    });
    deployed.collect()
}

/// Splits a string of overrides as SAM does. SAM's guide puts every value in quotes.
fn words(overrides: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    let mut characters = overrides.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().unwrap();
        match character {
            '"' => quoted = !quoted,
            '\\' => word.extend(characters.next()),
            ' ' if !quoted => words.push(String::new()),
            other => word.push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

pub(super) fn with_defaults(template: &Value, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let defined = template["Parameters"].as_object().unwrap().iter();
    let values = defined.map(|(name, parameter)| {
        let default = &parameter["Default"];
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        (name.clone(), given.get(name).cloned().unwrap_or(default))
    });
    values.collect()
}

/// By their own constraints and by the template's rules.
pub(super) fn refused(
    template: &Value,
    given: &BTreeMap<String, String>,
    parameters: &BTreeMap<String, String>,
    place: Place,
) -> Vec<String> {
    let unknown = given.keys().filter(|name| !parameters.contains_key(*name));
    let mut refused: Vec<_> = unknown.map(|name| format!("the parameter {name} does not exist")).collect();
    for (name, value) in parameters {
        let parameter = &template["Parameters"][name];
        if !is_allowed(parameter, value) {
            refused.push(format!("{name} must not be {value:?}: {parameter}"));
        }
    }
    let mut evaluation = Evaluation::new(template, parameters, place);
    for (name, rule) in template["Rules"].as_object().into_iter().flatten() {
        let applies = rule.get("RuleCondition").is_none_or(|condition| evaluation.condition(condition));
        let assertions = rule["Assertions"].as_array().unwrap();
        if applies && !assertions.iter().all(|assertion| evaluation.condition(&assertion["Assert"])) {
            refused.push(format!("the rule {name} does not hold"));
        }
    }
    refused
}

fn is_allowed(parameter: &Value, value: &str) -> bool {
    let number = || value.parse::<f64>().ok();
    let least = parameter["MinValue"].as_f64().is_none_or(|least| number().is_some_and(|number| number >= least));
    let most = parameter["MaxValue"].as_f64().is_none_or(|most| number().is_some_and(|number| number <= most));
    let listed = parameter["AllowedValues"].as_array().is_none_or(|allowed| {
        allowed.iter().any(|allowed| allowed.as_str().map_or_else(|| allowed.to_string(), str::to_owned) == value)
    });
    let long = parameter["MaxLength"].as_u64().is_none_or(|most| value.chars().count() as u64 <= most);
    let pattern = parameter["AllowedPattern"].as_str().unwrap_or(".*");
    let matches = jsonschema::draft4::new(&json!({"pattern": pattern})).unwrap().is_valid(&json!(value));
    let is_number = parameter["Type"] != "Number" || number().is_some();
    least && most && listed && long && matches && is_number
}
