//! WebSocket frames, in both directions.

use crate::{OrderView, PendingView, ViolationView};
use orders::{InvalidOrderId, Notification, Order, OrderId};
use serde::{Deserialize, Serialize};

/// A frame that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFrame {
    /// `{"action":"subscribe","orderId":"…"}`: asks for the order's present state.
    Subscribe(OrderId),
    /// `{"action":"ping"}`: keeps the connection open. So do `{"type":"ping"}` and the text `ping`, which client
    /// libraries send.
    Ping,
}

/// Why a client's frame was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidFrame {
    /// It is not JSON, has no known `action` or has other fields.
    NotUnderstood,
    /// Its `orderId` is malformed.
    OrderId(InvalidOrderId),
}

impl std::fmt::Display for InvalidFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotUnderstood => {
                f.write_str(r#"send {"action":"subscribe","orderId":"<UUID>"} or {"action":"ping"}"#)
            }
            Self::OrderId(error) => write!(f, "orderId {error}"),
        }
    }
}

impl std::error::Error for InvalidFrame {}

impl ClientFrame {
    /// Reads a frame.
    ///
    /// # Errors
    /// See [`InvalidFrame`].
    pub fn parse(text: &str) -> Result<Self, InvalidFrame> {
        #[derive(Deserialize)]
        #[serde(tag = "action", rename_all = "camelCase", deny_unknown_fields)]
        enum Shape {
            #[serde(rename_all = "camelCase")]
            Subscribe {
                order_id: String,
            },
            // serde accepts unknown fields for a unit variant.
            Ping {},
        }
        match serde_json::from_str(text) {
            Ok(Shape::Subscribe { order_id }) => {
                OrderId::parse(&order_id).map(Self::Subscribe).map_err(InvalidFrame::OrderId)
            }
            Ok(Shape::Ping {}) => Ok(Self::Ping),
            Err(_) if is_ping_of_a_library(text) => Ok(Self::Ping),
            Err(_) => Err(InvalidFrame::NotUnderstood),
        }
    }
}

/// Whether it is `ping` or `{"type":"ping"}`, as client libraries send by default.
fn is_ping_of_a_library(text: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
    enum Shape {
        Ping {},
    }
    text == "ping" || matches!(serde_json::from_str(text), Ok(Shape::Ping {}))
}

/// A frame that the server sends. Frames may repeat and arrive out of order: match them by `orderId`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ServerFrame {
    /// An order is confirmed.
    #[serde(rename = "order.confirmed", rename_all = "camelCase")]
    Confirmed {
        /// The order's id.
        order_id: String,
        /// The order; missing if `orderUrl` replaces it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Box<OrderView>>,
        /// Where to `GET` an order that is too large for a frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_url: Option<String>,
    },
    /// An order of the bus lane is cancelled for good.
    #[serde(rename = "order.cancelled", rename_all = "camelCase")]
    Cancelled {
        /// The order's id.
        order_id: String,
        /// Why.
        reason: String,
        /// The order; missing if `orderUrl` replaces it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Box<OrderView>>,
        /// Where to `GET` an order that is too large for a frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_url: Option<String>,
    },
    /// An order is rejected for good.
    #[serde(rename = "order.rejected", rename_all = "camelCase")]
    Rejected {
        /// The order's id; a malformed one as the client gave it.
        order_id: String,
        /// Why.
        reason: String,
        /// The violations in the order's body, if any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<ViolationView>,
        /// Where to `GET` the order's status, if the errors are too large for a frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_url: Option<String>,
    },
    /// An order failed its last delivery.
    #[serde(rename = "order.failed", rename_all = "camelCase")]
    Failed {
        /// The order's id.
        order_id: String,
        /// Why.
        reason: String,
    },
    /// The answer to `subscribe`.
    #[serde(rename = "order.status", rename_all = "camelCase")]
    Status {
        /// The order's id.
        order_id: String,
        /// `PENDING`, `PLACED`, `CONFIRMED`, `CANCELLED`, `REJECTED` or `FAILED`.
        status: String,
        /// The order, if there is a record of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Box<OrderView>>,
        /// Where to `GET` an order that is too large for a frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_url: Option<String>,
    },
    /// The answer to `ping`.
    #[serde(rename = "pong")]
    Pong,
    /// The client's frame could not be served.
    #[serde(rename = "error", rename_all = "camelCase")]
    Error {
        /// What happened, and what to send instead.
        detail: String,
    },
}

impl ServerFrame {
    /// In bytes. Source: Amazon API Gateway Developer Guide, quotas of WebSocket APIs, "Message payload size", 128 KB.
    pub const MAX_BYTES: usize = 128 * 1024;

    /// The answer to `subscribe`.
    #[must_use]
    pub fn status(id: &OrderId, order: Option<&Order>) -> Self {
        Self::Status {
            order_id: id.to_string(),
            status: order.map_or(PendingView::STATUS, |order| order.status().name()).to_owned(),
            order: order.map(|order| Box::new(OrderView::from(order))),
            order_url: None,
        }
    }

    /// The frame as JSON. A frame over [`ServerFrame::MAX_BYTES`] links to the order instead of containing it.
    /// `orders_url` is the status service's URL up to and including `/orders`.
    #[must_use]
    pub fn to_text(&self, orders_url: &str) -> String {
        let text = self.json();
        if text.len() <= Self::MAX_BYTES { text } else { self.clone().into_pointer(orders_url).json() }
    }

    fn json(&self) -> String {
        serde_json::to_string(self).expect("a frame has only string keys, so it is always JSON")
    }

    fn into_pointer(self, orders_url: &str) -> Self {
        let url = |order_id: &str| Some(format!("{orders_url}/{order_id}"));
        match self {
            Self::Confirmed { order_id, .. } => Self::Confirmed { order_url: url(&order_id), order: None, order_id },
            Self::Status { order_id, status, .. } => {
                Self::Status { order_url: url(&order_id), order: None, order_id, status }
            }
            Self::Cancelled { order_id, reason, .. } => {
                Self::Cancelled { order_url: url(&order_id), order: None, reason: cut(&reason), order_id }
            }
            // Both texts come from the client, and may be too long.
            Self::Rejected { order_id, reason, .. } => {
                let order_id = cut(&order_id);
                Self::Rejected { order_url: url(&order_id), reason: cut(&reason), errors: Vec::new(), order_id }
            }
            Self::Failed { order_id, reason } => Self::Failed { order_id: cut(&order_id), reason: cut(&reason) },
            Self::Error { detail } => Self::Error { detail: cut(&detail) },
            Self::Pong => Self::Pong,
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(1024).collect()
}

impl From<&Notification> for ServerFrame {
    fn from(notification: &Notification) -> Self {
        match notification {
            Notification::Confirmed(order) => Self::Confirmed {
                order_id: order.id.to_string(),
                order: Some(Box::new(OrderView::from(order))),
                order_url: None,
            },
            Notification::Cancelled(order) => Self::Cancelled {
                order_id: order.id.to_string(),
                reason: order.reason().unwrap_or_default().to_owned(),
                order: Some(Box::new(OrderView::from(order))),
                order_url: None,
            },
            Notification::Rejected { order_id, reason, violations } => Self::Rejected {
                order_id: order_id.clone(),
                reason: reason.clone(),
                errors: ViolationView::list(violations),
                order_url: None,
            },
            Notification::Failed { order_id, reason } => {
                Self::Failed { order_id: order_id.clone(), reason: reason.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::{Violations, fakes};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const URL: &str = "https://api.example.com/live/orders";

    fn sent(frame: &ServerFrame) -> Value {
        serde_json::from_str(&frame.to_text(URL)).expect("a frame is JSON")
    }

    #[test]
    fn reads_a_subscription() {
        let frame = format!(r#"{{"action":"subscribe","orderId":"{}"}}"#, fakes::order_id());

        assert_eq!(ClientFrame::parse(&frame), Ok(ClientFrame::Subscribe(fakes::order_id())));
    }

    #[test]
    fn reads_every_usual_ping() {
        for text in [r#"{"action":"ping"}"#, r#" { "action" : "ping" } "#, r#"{"type":"ping"}"#, "ping"] {
            assert_eq!(ClientFrame::parse(text), Ok(ClientFrame::Ping), "{text}");
        }
        assert_eq!(sent(&ServerFrame::Pong), json!({"type": "pong"}));
    }

    #[test]
    fn refuses_every_other_frame() {
        for text in [
            "",
            "{}",
            "[]",
            "pong",
            "ping ping",
            r#"{"action":"order"}"#,
            r#"{"action":"subscribe"}"#,
            r#"{"orderId":"x"}"#,
            r#"{"action":"ping","orderId":"x"}"#,
            r#"{"action":"ping","type":"ping"}"#,
            r#"{"type":"ping","id":1}"#,
            r#"{"action":"Ping"}"#,
        ] {
            assert_eq!(ClientFrame::parse(text), Err(InvalidFrame::NotUnderstood), "{text}");
        }
        assert!(matches!(ClientFrame::parse(r#"{"action":"subscribe","orderId":"x"}"#), Err(InvalidFrame::OrderId(_))));
    }

    #[test]
    fn a_pending_order_has_only_a_status() {
        assert_eq!(
            sent(&ServerFrame::status(&fakes::order_id(), None)),
            json!({"type": "order.status", "orderId": fakes::order_id().to_string(), "status": "PENDING"})
        );
    }

    #[test]
    fn a_rejection_has_every_violation() {
        let notification = Notification::Rejected {
            order_id: "x".into(),
            reason: "no".into(),
            violations: orders::Violation::new("/note", "must be a string").into(),
        };

        assert_eq!(
            sent(&ServerFrame::from(&notification)),
            json!({
                "type": "order.rejected", "orderId": "x", "reason": "no",
                "errors": [{"pointer": "/note", "detail": "must be a string"}],
            })
        );
    }

    #[test]
    fn a_cancellation_has_its_reason_and_the_order() {
        let order = fakes::cancelled("SKU-1: 2 ordered, 1 left");

        assert_eq!(
            sent(&ServerFrame::from(&Notification::Cancelled(order.clone()))),
            json!({
                "type": "order.cancelled", "orderId": order.id.to_string(), "reason": "SKU-1: 2 ordered, 1 left",
                "order": OrderView::from(&order),
            })
        );
    }

    #[test]
    fn links_to_a_cancelled_order_that_is_too_large_for_a_frame() {
        let order = fakes::cancelled(&"x".repeat(ServerFrame::MAX_BYTES));

        let frame = sent(&ServerFrame::from(&Notification::Cancelled(order.clone())));

        assert_eq!(
            frame,
            json!({
                "type": "order.cancelled", "orderId": order.id.to_string(), "reason": "x".repeat(1024),
                "orderUrl": format!("{URL}/{}", order.id),
            })
        );
    }

    #[test]
    fn links_to_an_order_that_is_too_large_for_a_frame() {
        let reason = "x".repeat(ServerFrame::MAX_BYTES);
        let order = Order { outcome: orders::Outcome::Failed { reason: reason.clone() }, ..fakes::failed() };
        let rejected = Notification::Rejected { order_id: reason.clone(), reason, violations: Violations::default() };

        let status = sent(&ServerFrame::status(&order.id, Some(&order)));

        assert_eq!(
            status,
            json!({
                "type": "order.status", "orderId": order.id.to_string(), "status": "FAILED",
                "orderUrl": format!("{URL}/{}", order.id),
            })
        );
        assert!(ServerFrame::from(&rejected).to_text(URL).len() < ServerFrame::MAX_BYTES);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = ClientFrame::parse(&text);
        }

        #[test]
        fn every_frame_is_read_back_as_it_was_sent(order_id in any::<String>(), reason in any::<String>()) {
            let frame = ServerFrame::Rejected { order_id, reason, errors: Vec::new(), order_url: None };

            let read: ServerFrame = serde_json::from_str(&frame.to_text(URL)).expect("a frame is JSON");

            prop_assert_eq!(read, frame);
        }
    }
}
