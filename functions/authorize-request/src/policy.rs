//! What API Gateway is told.

use orders::Owner;
use orders_api::{EXPIRES_AT_CONTEXT, MESSAGE_GROUP_CONTEXT, OWNER_CONTEXT};
use serde_json::{Value, json};

/// The ARN of everything in a stage, from that of one method or route of it:
/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/…`.
///
/// API Gateway keeps the policy for a while and applies it to whatever comes with the same token: a policy for one
/// method would refuse the next one, and a policy is no place to tell orders apart.
pub(crate) fn whole_stage(method_arn: &str) -> Option<String> {
    let (api, rest) = method_arn.split_once('/')?;
    let (stage, _) = rest.split_once('/')?;
    (api.starts_with("arn:") && !stage.is_empty()).then(|| format!("{api}/{stage}/*"))
}

/// Lets the owner in, and tells the API whose requests these are and until when.
pub(crate) fn allow(owner: &Owner, expires_at_unix_seconds: i64, stage: &str) -> Value {
    let mut answer = answer(owner.as_str(), "Allow", stage);
    answer["context"] = json!({
        OWNER_CONTEXT: owner.as_str(),
        MESSAGE_GROUP_CONTEXT: owner.message_group(),
        EXPIRES_AT_CONTEXT: expires_at_unix_seconds.to_string(),
    });
    answer
}

/// Lets nobody in.
pub(crate) fn deny(stage: &str) -> Value {
    answer("nobody", "Deny", stage)
}

fn answer(principal: &str, effect: &str, resource: &str) -> Value {
    json!({
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_stage_whatever_the_method_and_the_path() {
        let api = "arn:aws-cn:execute-api:cn-north-1:123456789012:abcdef";

        for rest in ["PUT/sync/orders/1", "GET/", "$connect", "GET/a/../../b/live2/*", "GET/a:b/c"] {
            assert_eq!(
                whole_stage(&format!("{api}/live/{rest}")).as_deref(),
                Some(&*format!("{api}/live/*")),
                "{rest}"
            );
        }
    }

    #[test]
    fn names_nothing_when_there_is_no_stage() {
        for arn in
            ["", "*", "arn:aws:execute-api:r:1:api", "arn:aws:execute-api:r:1:api/", "arn:aws:execute-api:r:1:api//x"]
        {
            assert_eq!(whole_stage(arn), None, "{arn}");
        }
    }
}
