//! A dead letter and its order's record.

use super::dead_letter::DeadLetter;
use crate::orders_table::Record;
use lanes::QueueKind;

/// The worker ended during the last delivery, or could not record the failure.
const NO_RECORD: &str = "no record of it: the worker's log says why";

/// A dead letter with its order's state.
#[derive(Clone, Debug)]
pub struct DeadLetterWithRecord {
    /// The message.
    pub message: DeadLetter,
    /// `None` without a record or an order.
    pub record: Option<Record>,
}

impl DeadLetterWithRecord {
    /// Such as `CONFIRMED`; `None` without a record or an order.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.record.as_ref().map(|record| record.status.as_str())
    }

    /// Whether it is an event of a decided order, so that the status does not show what becomes of the message.
    #[must_use]
    pub fn is_of_decided_order(&self) -> bool {
        self.message.event().is_some() && self.record.as_ref().is_some_and(Record::is_final)
    }

    /// Why it is a dead letter, as far as known.
    #[must_use]
    pub fn reason(&self) -> String {
        if let Some(undone) = self.undone() {
            let order = self.record.as_ref().map_or_else(
                || "its order has no record".to_owned(),
                |record| {
                    let reason = record.reason.as_ref().map(|reason| format!(": {reason}"));
                    format!("its order is {}{}", record.status, reason.unwrap_or_default())
                },
            );
            return format!("{undone}; {order}");
        }
        let Some(record) = &self.record else {
            return self.message.oddity().map_or_else(|| NO_RECORD.to_owned(), |oddity| oddity.why().to_owned());
        };
        match (record.status.as_str(), &record.reason) {
            ("FAILED", Some(reason)) => reason.clone(),
            ("FAILED", None) => "the record has no reason".to_owned(),
            // Of the bus lane. Either the publish failed, or this is a repeat.
            ("CANCELLED", Some(reason)) => format!("its order is CANCELLED: {reason}"),
            ("PLACED", _) => "its order is PLACED: it was perhaps not published".to_owned(),
            (status, _) => format!("its order is already {status}: another delivery succeeded"),
        }
    }

    /// What may be undone because an event failed. `None` for `order.submitted`: its order's record shows it.
    fn undone(&self) -> Option<&'static str> {
        let event = self.message.event()?;
        Some(match (self.message.queue().kind, event) {
            (_, "order.submitted") => return None,
            (QueueKind::Timer, _) => "its deadline was not checked",
            (QueueKind::Work, "order.placed") => "the step did not vote, or voted that it failed",
            (QueueKind::Work, "order.confirmed") => "the step may not have made its part final",
            (QueueKind::Work, "order.cancelled") => "the step may not have undone its part",
            (QueueKind::Work, _) => "the vote may not be counted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::{Message, MessageAttributeValue};

    fn dead_letter(attributes: &[(&str, &str)], record: Option<(&str, Option<&str>)>) -> DeadLetterWithRecord {
        let attribute = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("it has a type")
        };
        let add = |message: aws_sdk_sqs::types::builders::MessageBuilder, (name, value): &(&str, &str)| {
            message.message_attributes(*name, attribute(value))
        };
        let message = attributes.iter().fold(Message::builder().body("{}"), add).build();
        let record = record.map(|(status, reason)| Record {
            status: status.into(),
            reason: reason.map(Into::into),
            attempts: None,
        });
        DeadLetterWithRecord { message: DeadLetter::new(message, queue("orders"), false), record }
    }

    fn queue(name: &str) -> &'static lanes::QueueSpec {
        lanes::queues().find(|queue| queue.name == name).expect("it is in the table")
    }

    #[test]
    fn says_what_an_event_that_failed_leaves_undone() {
        let reason = |name, event: &str, status: Option<&str>| {
            let body = format!(
                r#"{{"version":1,"type":"{event}","orderId":"{}","owner":"alice","occurredAt":"2026-01-01T00:00:00Z"}}"#,
                ORDER[0].1
            );
            let message = DeadLetter::new(Message::builder().body(body).build(), queue(name), false);
            let record = status.map(|status| Record {
                status: status.into(),
                reason: (status != "PLACED").then(|| "why".into()),
                attempts: None,
            });
            DeadLetterWithRecord { message, record }.reason()
        };

        assert_eq!(reason("submissions", "order.submitted", Some("FAILED")), "why");
        assert_eq!(reason("submissions", "order.submitted", None), NO_RECORD);
        assert_eq!(reason("submissions", "order.submitted", Some("CANCELLED")), "its order is CANCELLED: why");
        assert_eq!(
            reason("submissions", "order.submitted", Some("PLACED")),
            "its order is PLACED: it was perhaps not published"
        );
        assert_eq!(
            reason("stock", "order.cancelled", Some("CANCELLED")),
            "the step may not have undone its part; its order is CANCELLED: why"
        );
        assert_eq!(
            reason("deadline", "order.placed", Some("PLACED")),
            "its deadline was not checked; its order is PLACED"
        );
        assert_eq!(reason("outcomes", "stock.held", None), "the vote may not be counted; its order has no record");
    }

    const ORDER: [(&str, &str); 2] = [("orderId", "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"), ("owner", "alice")];

    #[test]
    fn gives_the_reason_of_a_dead_letter() {
        for (attributes, record, reason) in [
            (&ORDER[..], Some(("FAILED", Some("why"))), "why"),
            (&ORDER, Some(("CONFIRMED", None)), "its order is already CONFIRMED: another delivery succeeded"),
            (&ORDER, None, NO_RECORD),
            (&ORDER[..1], None, "not from the API: message attribute owner is missing or not a String"),
            (&ORDER[1..], None, "not from the API: message attribute orderId is missing or not a String"),
            (
                &[("orderId", "7"), ("owner", "alice")],
                None,
                "its order id must be a UUID such as 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b",
            ),
            (
                &[ORDER[0], ("owner", "two words")],
                None,
                "not from the API: message attribute owner must be 1 to 255 visible ASCII characters",
            ),
        ] {
            assert_eq!(dead_letter(attributes, record).reason(), reason);
        }
    }

    /// The worker reads attributes the same way.
    #[test]
    fn an_attribute_of_another_type_is_reported_as_not_a_string() {
        let typed = |data_type: &str| MessageAttributeValue::builder().data_type(data_type).string_value(ORDER[0].1);
        for data_type in ["Number", "String.uuid"] {
            let owner = MessageAttributeValue::builder().data_type("String").string_value(ORDER[1].1);
            let message = Message::builder()
                .body("{}")
                .message_attributes("owner", owner.build().expect("it has a type"))
                .message_attributes("orderId", typed(data_type).build().expect("it has a type"));

            let dead_letter = DeadLetterWithRecord {
                message: DeadLetter::new(message.build(), queue("orders"), false),
                record: None,
            };

            assert_eq!(
                dead_letter.reason(),
                "not from the API: message attribute orderId is missing or not a String",
                "{data_type}"
            );
        }
    }
}
