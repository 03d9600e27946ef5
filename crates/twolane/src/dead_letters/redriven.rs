//! Results of redriven messages, as a table or JSON.

use super::settle::RedriveResult;
use crate::output::Results;
use crate::progress::say;
use crate::table;
use lanes::QueueKind;
use serde::Serialize;
use twolane_client::dead_letters::{
    dead_letter::{Oddity, messages},
    with_record::DeadLetterWithRecord,
};

const HEADING: [&str; 7] = ["queue", "event", "order", "was", "is", "deliveries", "reason"];

/// Every field is always present; `null` if it does not apply or is unknown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RedrivenJson<'a> {
    queue: &'a str,
    /// Such as `order.placed`; `null` for the orders queue.
    event: Option<&'a str>,
    /// In the dead-letter queue: a moved message gets a new id.
    message_id: &'a str,
    /// In lower case; as sent if it is not a UUID.
    order_id: Option<String>,
    owner: Option<&'a str>,
    /// Whether it is back in its queue.
    moved: Option<bool>,
    /// Before the redrive.
    status_before: Option<&'a str>,
    /// `CONFIRMED`, `CANCELLED` or `REJECTED`; `PENDING` without an outcome yet; `null` if it is not an order. `FAILED`
    /// if it failed again, or was not moved and its order is `FAILED`.
    status: Option<&'a str>,
    /// Why it was rejected or has no outcome.
    reason: Option<&'a str>,
    /// Deliveries since the move; `null` for an event of an order decided before.
    attempts: Option<u32>,
}

/// A message and its result.
pub(super) struct Redriven {
    pub(super) dead_letter: DeadLetterWithRecord,
    pub(super) moved: Option<bool>,
    /// `None` if it is not an order, or was not moved.
    pub(super) result: Option<RedriveResult>,
}

impl Redriven {
    fn status(&self) -> Option<&str> {
        match &self.result {
            Some(RedriveResult::Settled(record)) => Some(&record.status),
            Some(RedriveResult::FailedAgain) => Some("FAILED"),
            Some(RedriveResult::Open) if !self.dead_letter.is_of_decided_order() => Some("PENDING"),
            Some(RedriveResult::Open) | None => self.dead_letter.status(),
        }
    }

    fn reason(&self) -> Option<String> {
        let is_decided = self.dead_letter.is_of_decided_order();
        match &self.result {
            Some(RedriveResult::Settled(_))
                if is_decided && self.dead_letter.message.queue().kind == QueueKind::Timer =>
            {
                Some(
                    "its order was decided before: its deadline only repeats a decision that SNS did not accept".into(),
                )
            }
            Some(RedriveResult::Settled(_)) if is_decided => {
                Some("handled: its queue is empty, and it did not fail again".into())
            }
            Some(RedriveResult::Settled(record)) => record.reason.clone(),
            Some(RedriveResult::FailedAgain) => {
                Some("failed all deliveries again; it is back in the dead-letter queue".into())
            }
            Some(RedriveResult::Open) if is_decided => Some(
                "not known to be handled: its queue did not become empty; `twolane dlq` shows whether it fails again"
                    .into(),
            ),
            Some(RedriveResult::Open) => Some("no outcome so far; `twolane dlq` shows whether it fails again".into()),
            None if self.moved == Some(false) => Some("not moved: it is still in the dead-letter queue".into()),
            None => self.dead_letter.message.oddity().map(|oddity| match oddity {
                Oddity::Stray(why) => format!("{why}; it will return to the dead-letter queue"),
                Oddity::Rejected(why) => format!("{why}; it is rejected, and its owner is notified"),
            }),
        }
    }

    fn attempts(&self) -> Option<u32> {
        match &self.result {
            Some(RedriveResult::Settled(record)) if !self.dead_letter.is_of_decided_order() => record.attempts,
            _ => None,
        }
    }

    /// Whether it needs nothing more.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.result, Some(RedriveResult::Settled(_))) || self.is_rejected()
    }

    /// Whether it was moved and its order's id is refused. Such an order has no record.
    fn is_rejected(&self) -> bool {
        self.moved == Some(true) && matches!(self.dead_letter.message.oddity(), Some(Oddity::Rejected(_)))
    }

    fn json(&self) -> String {
        let message = &self.dead_letter.message;
        let reason = self.reason();
        let json = RedrivenJson {
            queue: message.queue().name,
            event: message.event(),
            message_id: message.message_id(),
            order_id: message.shown_order_id(),
            owner: message.owner(),
            moved: self.moved,
            status_before: self.dead_letter.status(),
            status: self.status(),
            reason: reason.as_deref(),
            attempts: self.attempts(),
        };
        serde_json::to_string(&json).expect("the object has only string keys, so it is always JSON")
    }

    fn row(&self) -> [String; HEADING.len()] {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let message = &self.dead_letter.message;
        [
            message.queue().name.to_owned(),
            or_unknown(message.event().map(str::to_owned)),
            or_unknown(message.shown_order_id()),
            or_unknown(self.dead_letter.status().map(str::to_owned)),
            or_unknown(self.status().map(str::to_owned)),
            or_unknown(self.attempts().map(|attempts| attempts.to_string())),
            self.reason().unwrap_or_default(),
        ]
    }
}

/// Returns whether standard output took all.
pub(super) fn write(redriven: &[Redriven], json: bool) -> bool {
    let mut results = Results::stdout(if json { "redrive.jsonl" } else { "redrive.txt" });
    if json {
        for redriven in redriven {
            results.line(&redriven.json());
        }
    } else {
        let rows: Vec<_> = redriven.iter().map(Redriven::row).collect();
        // Leave out queues and events if only orders were moved.
        let is_named = redriven.iter().any(|redriven| redriven.dead_letter.message.event().is_some());
        let left_out = if is_named { 0 } else { 2 };
        let rows: Vec<_> = rows.iter().map(|row| &row[left_out..]).collect();
        let drawn = table::draw(&HEADING[left_out..], &rows);
        results.line(&format!("{drawn}\n\n{}", summary(redriven)));
    }
    if !results.are_written() {
        say(&summary(redriven));
    }
    results.are_written()
}

fn summary(redriven: &[Redriven]) -> String {
    let count = |holds: &dyn Fn(&Redriven) -> bool| redriven.iter().filter(|redriven| holds(redriven)).count();
    let is_decided = |redriven: &Redriven| redriven.dead_letter.is_of_decided_order();
    let settled_as = |status: &'static str| {
        move |redriven: &Redriven| redriven.is_settled() && !is_decided(redriven) && redriven.status() == Some(status)
    };
    let is_open = |redriven: &Redriven| redriven.result == Some(RedriveResult::Open);
    let counts = [
        (count(&settled_as("CONFIRMED")), "confirmed"),
        (count(&settled_as("CANCELLED")), "cancelled"),
        (count(&settled_as("REJECTED")), "rejected"),
        (count(&|redriven| redriven.is_settled() && is_decided(redriven)), "handled"),
        (count(&|redriven| redriven.result == Some(RedriveResult::FailedAgain)), "failed again"),
        (count(&|redriven| is_open(redriven) && is_decided(redriven)), "not known to be handled"),
        (count(&|redriven| is_open(redriven) && !is_decided(redriven)), "without an outcome yet"),
        (count(&Redriven::is_rejected), "rejected for its order id"),
        (
            count(&|redriven| redriven.moved != Some(false) && redriven.result.is_none() && !redriven.is_rejected()),
            "not an order",
        ),
        (count(&|redriven| redriven.moved == Some(false)), "not moved"),
    ];
    let counted = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("{}: {}", messages(redriven.len()), counted.collect::<Vec<_>>().join(", "))
}
