//! The hosted page: who reads its files, what its pages may do, and where its users sign in.

use serde_json::json;
use testkit::template::{CreatedStack, stacks, text};

/// At least one signs in at its own user pool, and one at another issuer.
fn hosting() -> impl Iterator<Item = &'static CreatedStack> {
    stacks().iter().filter(|stack| stack.parameters["Page"] == "cloudfront")
}

fn is_local(stack: &CreatedStack) -> bool {
    !stack.parameters["LocalEndpoint"].is_empty()
}

/// By directive.
fn policy(stack: &CreatedStack) -> Vec<(&str, Vec<&str>)> {
    let headers = &stack.resource("PageResponseHeadersPolicy").properties["ResponseHeadersPolicyConfig"];
    let policy = &headers["SecurityHeadersConfig"]["ContentSecurityPolicy"];
    assert_eq!(policy["Override"], true, "{}", stack.name);
    let directives = text(&policy["ContentSecurityPolicy"]).split(';').map(|directive| {
        let mut words = directive.split_whitespace();
        (words.next().unwrap(), words.collect())
    });
    directives.collect()
}

fn directive<'a>(stack: &'a CreatedStack, name: &str) -> Vec<&'a str> {
    let found = policy(stack).into_iter().find(|(directive, _)| *directive == name);
    found.unwrap_or_else(|| panic!("{}: the policy has no {name}", stack.name)).1
}

#[test]
fn without_the_parameter_there_is_nothing_of_it() {
    let without: Vec<_> = stacks().iter().filter(|stack| stack.parameters["Page"] == "none").collect();

    assert!(without.iter().any(|stack| stack.name == "AWS, defaults"), "none is the default");
    for stack in without {
        let made: Vec<_> = stack.resources().keys().filter(|id| id.starts_with("Page")).collect();
        assert!(made.is_empty(), "{}: {made:?}", stack.name);
        assert!(!stack.outputs.keys().any(|name| name.starts_with("Page")), "{}", stack.name);
        for (id, client) in stack.of_type("AWS::Cognito::UserPoolClient") {
            assert_eq!(client.properties.get("AllowedOAuthFlows"), None, "{}, {id}", stack.name);
        }
    }
}

#[test]
fn only_the_distribution_of_the_stack_reads_the_bucket() {
    for stack in hosting() {
        let (bucket, distribution) = (stack.resource("PageBucket"), stack.resource("PageDistribution"));
        let arn = format!(
            "arn:{}:cloudfront::{}:distribution/{}",
            stack.place.partition, stack.place.account, distribution.reference
        );
        let closed = json!({"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true,
            "RestrictPublicBuckets": true});
        assert_eq!(bucket.properties["PublicAccessBlockConfiguration"], closed, "{}", stack.name);
        let statements = &stack.resource("PageBucketPolicy").properties["PolicyDocument"]["Statement"];
        let allowed: Vec<_> =
            statements.as_array().unwrap().iter().filter(|statement| statement["Effect"] == "Allow").collect();
        let reads = json!({"Sid": "TheDistributionReads", "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
            "Resource": format!("{}/*", bucket.arn()), "Condition": {"StringEquals": {"aws:SourceArn": arn}}});
        assert_eq!(allowed, [&reads], "{}", stack.name);
        let has_tls = statements.as_array().unwrap().iter().any(|statement| statement["Sid"] == "OnlyOverTls");
        assert_eq!(has_tls, !is_local(stack), "{}", stack.name);
    }
}

#[test]
fn the_distribution_signs_what_it_asks_the_bucket_and_takes_https_only_on_aws() {
    for stack in hosting() {
        let config = &stack.resource("PageDistribution").properties["DistributionConfig"];
        let control = &stack.resource("PageOriginAccessControl").properties["OriginAccessControlConfig"];
        assert_eq!(config["Origins"].as_array().unwrap().len(), 1, "{}", stack.name);
        assert_eq!(config["Origins"][0]["OriginAccessControlId"], "pageoriginaccesscontrol", "{}", stack.name);
        assert_eq!(control["SigningBehavior"], "always", "{}", stack.name);
        let scheme = if is_local(stack) { "allow-all" } else { "redirect-to-https" };
        assert_eq!(config["DefaultCacheBehavior"]["ViewerProtocolPolicy"], scheme, "{}", stack.name);
        let headers = &stack.resource("PageResponseHeadersPolicy").reference;
        assert_eq!(config["DefaultCacheBehavior"]["ResponseHeadersPolicyId"], headers.as_str(), "{}", stack.name);
    }
}

#[test]
fn the_policy_lets_the_page_run_its_own_scripts_and_nothing_unsafe() {
    for stack in hosting() {
        for (name, sources) in policy(stack) {
            assert!(
                !sources.iter().any(|source| source.contains("unsafe") || *source == "*"),
                "{}: {name}",
                stack.name
            );
        }
        for name in ["default-src", "base-uri", "form-action", "frame-ancestors"] {
            assert_eq!(directive(stack, name), ["'none'"], "{}, {name}", stack.name);
        }
        for name in ["script-src", "style-src", "img-src"] {
            assert_eq!(directive(stack, name), ["'self'"], "{}, {name}", stack.name);
        }
    }
}

#[test]
fn the_page_connects_to_its_apis_and_to_its_issuer_alone() {
    for stack in hosting() {
        let place = stack.place;
        let apis = match stack.parameters["LocalEndpoint"].as_str() {
            // Without a domain: all APIs of the region.
            "" => [("https", "ApiDomain"), ("wss", "SocketDomain")].map(|(scheme, domain)| {
                match stack.parameters[domain].as_str() {
                    "" => format!("{scheme}://*.execute-api.{}.{}", place.region, place.url_suffix),
                    domain => format!("{scheme}://{domain}"),
                }
            }),
            local => [local.to_owned(), local.replacen("http", "ws", 1)],
        };
        let issuer = match stack.parameters["JwtIssuer"].as_str() {
            "" => format!(
                "https://{}.auth.{}.amazoncognito.com",
                stack.resource("PageUserPoolDomain").reference,
                place.region
            ),
            _ => "https://issuer.example".to_owned(),
        };
        let expected = ["'self'".to_owned(), apis[0].clone(), apis[1].clone(), issuer];
        assert_eq!(directive(stack, "connect-src"), expected, "{}", stack.name);
    }
}

#[test]
fn users_of_the_stacks_own_pool_come_back_to_the_page_with_a_code() {
    let with_a_pool: Vec<_> = hosting().filter(|stack| stack.parameters["JwtIssuer"].is_empty()).collect();

    assert!(!with_a_pool.is_empty());
    for stack in with_a_pool {
        let client = &stack.resource("UserPoolClient").properties;
        let url = text(&stack.outputs["PageUrl"]);
        assert_eq!(client["AllowedOAuthFlows"], json!(["code"]), "{}: no token comes in an address", stack.name);
        assert_eq!(client["CallbackURLs"], json!([format!("{url}/signed-in.html")]), "{}", stack.name);
        assert_eq!(client["AllowedOAuthScopes"], json!(["openid"]), "{}", stack.name);
        assert_eq!(client.get("GenerateSecret"), None, "{}: a page cannot keep a secret", stack.name);
        let domain = text(&stack.resource("PageUserPoolDomain").properties["Domain"]);
        // Source: Amazon Cognito API Reference, CreateUserPoolDomain, Domain.
        let is_prefix =
            domain.len() <= 63 && domain.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(is_prefix, "{}: {domain}", stack.name);
        assert_eq!(stack.outputs["PageClientId"], stack.outputs["UserPoolClientId"], "{}", stack.name);
    }
}
