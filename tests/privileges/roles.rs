//! The stack's roles, and removing actions from them.

use futures_util::FutureExt;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use testkit::{
    local_account::{elements, iam},
    outputs::output,
};

pub(crate) struct Role {
    pub(crate) name: String,
    policies: Vec<Policy>,
}

struct Policy {
    name: String,
    statements: Vec<Value>,
}

impl Role {
    async fn read(name: String) -> Self {
        let listed = iam("ListRolePolicies", &[("RoleName", &name)]).await;
        let mut policies = Vec::new();
        for policy_name in elements(&listed, "member") {
            let policy = iam("GetRolePolicy", &[("RoleName", &name), ("PolicyName", &policy_name)]).await;
            let document = percent_decoded(&elements(&policy, "PolicyDocument")[0]);
            let document: Value = serde_json::from_str(&document).unwrap();
            let statements = document["Statement"].as_array().unwrap().clone();
            policies.push(Policy { name: policy_name, statements });
        }
        Self { name, policies }
    }

    pub(crate) async fn of_function(lambda: &aws_sdk_lambda::Client, function: &str) -> Self {
        let answer = lambda.get_function_configuration().function_name(output(function)).send().await.unwrap();
        let name = answer.role().unwrap().rsplit('/').next().unwrap().to_owned();
        Self::read(name).await
    }

    /// API Gateway sends to the queue with it.
    pub(crate) async fn of_the_api() -> Self {
        let stack = output("OrdersTableName").split_once("-OrdersTable-").unwrap().0;
        let roles = elements(&iam("ListRoles", &[]).await, "RoleName");
        let own = |name: &String| name.starts_with(&format!("{stack}-OrdersApiRole"));
        Self::read(roles.into_iter().find(own).expect("the API has a role")).await
    }

    /// Actions that the test removes, once for each resource. Not those that AWS itself uses, nor those that `faults`
    /// checks.
    pub(crate) fn own_actions(&self) -> Vec<&str> {
        let others = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility"];
        let others = others.map(|action| format!("sqs:{action}"));
        let statements = self.policies.iter().flat_map(|policy| &policy.statements);
        let actions = statements.map(|statement| statement["Action"].as_str().unwrap());
        let is_own = |action: &&str| !action.starts_with("logs:") && !action.starts_with("xray:");
        let mut own: Vec<_> =
            actions.filter(is_own).filter(|action| !others.iter().any(|other| other == action)).collect();
        own.sort_unstable();
        own
    }

    async fn allow(&self, policy: &Policy, statements: &[Value]) {
        let of_the_role = [("RoleName", self.name.as_str()), ("PolicyName", policy.name.as_str())];
        if statements.is_empty() {
            iam("DeleteRolePolicy", &of_the_role).await;
            return;
        }
        let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        iam("PutRolePolicy", &[&of_the_role[..], &[("PolicyDocument", &document)]].concat()).await;
    }

    /// Runs `then` without the one statement of that action with `resource` in its resource's name.
    pub(crate) async fn without<T>(&self, action: &str, resource: &str, then: impl Future<Output = T>) -> T {
        let taken = |statement: &Value| {
            statement["Action"] == action && statement["Resource"].as_str().unwrap().contains(resource)
        };
        let having = self.policies.iter().flat_map(|policy| {
            let statements = policy.statements.iter().enumerate().filter(|(_, statement)| taken(statement));
            statements.map(move |(at, _)| (policy, at))
        });
        let [(policy, at)] = having.collect::<Vec<_>>()[..] else {
            panic!("{}: one statement for {action} on {resource}", self.name)
        };
        let mut left = policy.statements.clone();
        left.remove(at);
        self.allow(policy, &left).await;
        let done = AssertUnwindSafe(then).catch_unwind().await;
        self.allow(policy, &policy.statements).await;
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// For policy documents of IAM. Source: RFC 3986, section 2.1.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
        } else {
            byte
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).unwrap()
}
