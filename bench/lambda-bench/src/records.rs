//! The records that the stand-in for DynamoDB returns, as the project's functions wrote them.

use serde_json::{Value, json};

#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    /// By create-order.
    pub(crate) order: Value,
    /// By settle-order, at the order's submission.
    pub(crate) placed_order: Value,
    /// By create-payment.
    pub(crate) payment: Value,
    /// By manage-connections.
    pub(crate) connection: Value,
    pub(crate) connection_id: String,
}

/// One order, one that waits for its steps, a page of orders, one payment, one SKU's units and one open connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    order: String,
    placed_order: Value,
    payment: String,
    connection: String,
    connection_id: String,
    listed: String,
}

/// Without a limit.
const PAGE: usize = 20;

/// Attributes of an order in the template's index.
const INDEXED: [&str; 10] =
    ["pk", "owner", "placedAt", "orderId", "status", "lane", "confirmedAt", "cancelledAt", "currency", "totalMinor"];

/// A SKU's stock. Operators write it, not functions: see `docs/operations.md`.
const UNITS: &str = r#"{"Item":{"pk":{"S":"counter#SKU-1"},"available":{"N":"1000000"}}}"#;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Updated {
    /// The response.
    Done(Value),
    /// The condition failed on this item.
    Refused(Value),
}

impl Records {
    pub(crate) fn new(written: Written) -> Self {
        let Written { order, placed_order, payment, connection, connection_id } = written;
        let indexed = INDEXED.iter().filter_map(|name| Some(((*name).to_owned(), order.get(name)?.clone())));
        let indexed = Value::Object(indexed.collect());
        Self {
            listed: json!({ "Items": vec![indexed; PAGE] }).to_string(),
            order: json!({ "Item": order }).to_string(),
            placed_order,
            payment: json!({ "Item": payment }).to_string(),
            connection: connection.to_string(),
            connection_id,
        }
    }

    /// To `GetItem`. Here tables have their logical ids as names.
    pub(crate) fn item(&self, request: &[u8]) -> String {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        match request["TableName"].as_str() {
            Some("PaymentsTable") => self.payment.clone(),
            Some("StockTable") => UNITS.to_owned(),
            _ => self.order.clone(),
        }
    }

    /// To `Query`: a page of orders for an index, else one connection, with a different id for each owner.
    pub(crate) fn queried(&self, query: &[u8]) -> String {
        let query: Value = serde_json::from_slice(query).unwrap_or_default();
        if query["IndexName"].is_string() {
            return self.listed.clone();
        }
        let values = query["ExpressionAttributeValues"].as_object();
        let owner = values.and_then(|values| values.values().next()?["S"].as_str()).unwrap_or_default();
        let connection = self.connection.replace(&self.connection_id, &format!("socket-of-{owner}"));
        format!(r#"{{"Count":1,"ScannedCount":1,"Items":[{connection}]}}"#)
    }

    /// The shipment's vote is the last of every order. So its first update fails, and its second confirms the order.
    pub(crate) fn updated(&self, request: &[u8]) -> Updated {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let values = &request["ExpressionAttributeValues"];
        let mut order = self.placed_order.clone();
        order["requestHash"] = values[":hash"].clone();
        order["steps"] = json!({"M": {"stock": values[":vote"], "payment": values[":vote"]}});
        if request["ReturnValues"] == "ALL_NEW" {
            for (attribute, value) in [("status", ":status"), ("decidedBy", ":by"), ("confirmedAt", ":now")] {
                order[attribute] = values[value].clone();
            }
            order["steps"]["M"]["shipment"] = values[":vote"].clone();
            return Updated::Done(json!({ "Attributes": order }));
        }
        let is_last = request["ExpressionAttributeNames"]["#step"] == "shipment";
        if is_last { Updated::Refused(order) } else { Updated::Done(json!({})) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_a_different_connection() {
        let connection = json!({"sk": {"S": "id-of-the-fixture"}, "connectedAt": {"S": "2026-11-22T09:30:00.100Z"}});
        let connection_id = "id-of-the-fixture".to_owned();
        let records = Records::new(Written { connection: connection.clone(), connection_id, ..Written::default() });

        let answer = records.queried(br#"{"ExpressionAttributeValues":{":owner":{"S":"alice"}}}"#);

        let answer: Value = serde_json::from_str(&answer).expect("it is JSON");
        assert_eq!(answer["Items"][0]["sk"]["S"], "socket-of-alice");
        assert_eq!(answer["Items"][0]["connectedAt"], connection["connectedAt"]);
    }

    #[test]
    fn each_table_has_an_item_of_its_service() {
        let (order, payment) = (json!({"pk": {"S": "order"}}), json!({"pk": {"S": "payment"}}));
        let records = Records::new(Written { order, payment, ..Written::default() });

        let item = |table: &str| {
            let answer = records.item(json!({ "TableName": table }).to_string().as_bytes());
            serde_json::from_str::<Value>(&answer).expect("it is JSON")["Item"]["pk"]["S"].clone()
        };

        let tables = ["OrdersTable", "PaymentsTable", "StockTable"].map(item);
        assert_eq!(tables, ["order", "payment", "counter#SKU-1"]);
    }

    #[test]
    fn the_shipments_vote_is_the_last() {
        let records = Records::new(Written { placed_order: json!({"status": {"S": "PLACED"}}), ..Written::default() });
        let vote = |step: &str, more: Value| {
            let mut request = json!({
                "ExpressionAttributeNames": {"#step": step},
                "ExpressionAttributeValues": {":hash": {"S": "00"}, ":vote": {"M": {"vote": {"S": "HELD"}}}},
            });
            for (name, value) in more.as_object().expect("fields") {
                request[name] = value.clone();
            }
            records.updated(request.to_string().as_bytes())
        };

        let first = vote("stock", json!({}));
        let Updated::Refused(item) = vote("shipment", json!({})) else { panic!("another vote is the last") };
        let Updated::Done(last) = vote("shipment", json!({"ReturnValues": "ALL_NEW"})) else { panic!("it decides") };

        assert_eq!(first, Updated::Done(json!({})));
        assert_eq!([&item["status"]["S"], &item["requestHash"]["S"]], ["PLACED", "00"]);
        let voted = |order: &Value| order["steps"]["M"].as_object().map(serde_json::Map::len);
        assert_eq!((voted(&item), voted(&last["Attributes"])), (Some(2), Some(3)));
    }
}
