//! What the stand-in for DynamoDB answers reads with: records as the project's functions wrote them.

use serde_json::{Value, json};

/// One order and one open connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    order: String,
    connection: String,
    connection_id: String,
}

impl Records {
    /// Keeps the items that functions wrote; `connection` has `connection_id`.
    pub(crate) fn new(order: &Value, connection: &Value, connection_id: &str) -> Self {
        let order = json!({ "Item": order }).to_string();
        Self { order, connection: connection.to_string(), connection_id: connection_id.to_owned() }
    }

    /// The answer to `GetItem`.
    pub(crate) fn order(&self) -> String {
        self.order.clone()
    }

    /// The answer to `Query`: one connection, with a different id for each owner.
    pub(crate) fn connections_of(&self, query: &[u8]) -> String {
        let query: Value = serde_json::from_slice(query).unwrap_or_default();
        let values = query["ExpressionAttributeValues"].as_object();
        let owner = values.and_then(|values| values.values().next()?["S"].as_str()).unwrap_or_default();
        let connection = self.connection.replace(&self.connection_id, &format!("socket-of-{owner}"));
        format!(r#"{{"Count":1,"ScannedCount":1,"Items":[{connection}]}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_a_connection_of_their_own() {
        let written = json!({"sk": {"S": "id-of-the-fixture"}, "connectedAt": {"S": "2026-11-22T09:30:00.100Z"}});
        let records = Records::new(&Value::Null, &written, "id-of-the-fixture");

        let answer = records.connections_of(br#"{"ExpressionAttributeValues":{":owner":{"S":"alice"}}}"#);

        let answer: Value = serde_json::from_str(&answer).expect("it is JSON");
        assert_eq!(answer["Items"][0]["sk"]["S"], "socket-of-alice");
        assert_eq!(answer["Items"][0]["connectedAt"], written["connectedAt"]);
    }
}
