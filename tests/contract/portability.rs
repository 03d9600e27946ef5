//! The stack is not tied to an account, region, partition or machine.

use crate::cloudformation::template;
use testkit::repository;

/// Of AWS's region names, after the country. Source: AWS General Reference, "AWS service endpoints".
const REGION_WORDS: [&str; 5] = ["-north", "-south", "-east-", "-west-", "-central-"];

/// Lines with these texts may name the one region from which `CloudFront` takes certificates.
const REGION_OF_CERTIFICATES: [&str; 4] =
    ["[!Ref AWS::Region, us-east-1]", ":acm:us-east-1:", "ACM in us-east-1", "certificate in us-east-1"];

/// Of deployed files, without comments.
fn lines() -> Vec<(String, String)> {
    let of = |path: &str| {
        let text = repository::read(path);
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
        lines.map(|(index, line)| (format!("{path}:{}", index + 1), line.to_owned())).collect::<Vec<_>>()
    };
    ["template.yaml", "infra/openapi.yaml"].into_iter().flat_map(of).collect()
}

fn has_account(line: &str) -> bool {
    line.split(|character: char| !character.is_ascii_digit()).any(|digits| digits.len() == 12)
}

#[test]
fn no_account_region_partition_host_or_port_is_fixed() {
    for (place, line) in lines() {
        let of_certificates = REGION_OF_CERTIFICATES.iter().any(|text| line.contains(text));
        let region = !of_certificates
            && REGION_WORDS.iter().any(|word| {
                line.match_indices(word).any(|(at, _)| line[..at].chars().rev().take(2).all(|c| c.is_ascii_lowercase()))
                    && line.contains(|character: char| character.is_ascii_digit())
            });
        assert!(!line.contains("arn:aws"), "{place}: write arn:${{AWS::Partition}}:\n{line}");
        assert!(!has_account(&line), "{place}: write ${{AWS::AccountId}}\n{line}");
        assert!(!region, "{place}: write ${{AWS::Region}}\n{line}");
        assert!(!line.contains("localhost") && !line.contains("127.0.0.1"), "{place}: use LocalEndpoint\n{line}");
        assert!(!line.contains(".amazonaws.com/"), "{place}: write ${{AWS::URLSuffix}}\n{line}");
    }
}

#[test]
fn nothing_has_a_fixed_physical_name() {
    const NAMES: [&str; 10] = [
        "AlarmName",
        "ApiName",
        "BucketName",
        "FunctionName",
        "LogGroupName",
        "ManagedPolicyName",
        "Name",
        "QueueName",
        "RoleName",
        "TableName",
    ];
    let template = template();

    for (id, resource) in template.resources() {
        for name in NAMES {
            let value = &resource["Properties"][name];
            let of_the_stack = value["Fn::Sub"].as_str().is_some_and(|text| text.contains("${AWS::StackName}"));
            // A reference names another resource, not this one.
            let allowed = value.is_null() || value.get("Ref").is_some() || of_the_stack;
            assert!(allowed, "{id}.{name} is {value}: remove it, because two stacks in one account would collide");
        }
    }
}
