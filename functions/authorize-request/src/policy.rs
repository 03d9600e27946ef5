use orders::Owner;
use orders_api::{EXPIRES_AT_CONTEXT, MESSAGE_GROUP_CONTEXT, OWNER_CONTEXT};
use serde_json::{Value, json};

/// The ARN of a whole stage, from `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/…`.
///
/// API Gateway caches the policy for every request with the token, so a policy for one method would deny all others.
pub(crate) fn whole_stage(method_arn: &str) -> Option<String> {
    let (api, rest) = method_arn.split_once('/')?;
    let (stage, _) = rest.split_once('/')?;
    (api.starts_with("arn:") && !stage.is_empty()).then(|| format!("{api}/{stage}/*"))
}

/// Allows all requests of the stage.
pub(crate) fn allow(owner: &Owner, expires_at_unix_seconds: i64, stage: &str) -> Value {
    let mut answer = answer(owner.as_str(), "Allow", stage);
    answer["context"] = json!({
        OWNER_CONTEXT: owner.as_str(),
        MESSAGE_GROUP_CONTEXT: owner.message_group(),
        EXPIRES_AT_CONTEXT: expires_at_unix_seconds.to_string(),
    });
    answer
}

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
    fn refuses_arns_without_a_stage() {
        for arn in
            ["", "*", "arn:aws:execute-api:r:1:api", "arn:aws:execute-api:r:1:api/", "arn:aws:execute-api:r:1:api//x"]
        {
            assert_eq!(whole_stage(arn), None, "{arn}");
        }
    }
}
