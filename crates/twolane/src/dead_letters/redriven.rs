//! What became of the messages that were moved.

use super::settle::Fate;
use crate::output::Results;
use crate::progress::tell;
use crate::table;
use lanes::QueueKind;
use serde::Serialize;
use twolane_client::dead_letters::{
    finding::Finding,
    letter::{Oddity, messages},
};

/// What is in the columns of a table.
const HEADING: [&str; 7] = ["queue", "event", "order", "was", "is", "deliveries", "reason"];

/// One message. Every field is always there; `null` where it does not apply or is not known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    /// The queue that delivered it.
    queue: &'a str,
    /// Type of the event, such as `order.placed`; `null` for a message of the orders queue.
    event: Option<&'a str>,
    /// In the dead-letter queue: a message that is moved gets a new id.
    message_id: &'a str,
    /// In lower case; as the caller gave it where it is no UUID.
    order_id: Option<String>,
    owner: Option<&'a str>,
    /// Whether it is back in its queue; `null` when that is not known.
    moved: Option<bool>,
    /// How its order stood before.
    status_before: Option<&'a str>,
    /// Of the order: `CONFIRMED`, `CANCELLED` or `REJECTED`; `FAILED` when the message failed again, or was not moved and its order
    /// is so; `PENDING` when there is no outcome yet; `null` when it is no order.
    status: Option<&'a str>,
    /// Why it was rejected, or why there is no outcome.
    reason: Option<&'a str>,
    /// Deliveries that the order took since it was moved; `null` for an event of an order that was decided before.
    attempts: Option<u32>,
}

/// A message and what became of it.
pub(super) struct Redriven {
    pub(super) finding: Finding,
    /// `None` when it is not known.
    pub(super) moved: Option<bool>,
    /// `None` when it is no order, or was not moved.
    pub(super) fate: Option<Fate>,
}

impl Redriven {
    fn status(&self) -> Option<&str> {
        match &self.fate {
            Some(Fate::Settled(record)) => Some(&record.status),
            Some(Fate::FailedAgain) => Some("FAILED"),
            Some(Fate::Open) if !self.finding.is_of_decided_order() => Some("PENDING"),
            Some(Fate::Open) | None => self.finding.status(),
        }
    }

    fn reason(&self) -> Option<String> {
        let is_decided = self.finding.is_of_decided_order();
        match &self.fate {
            Some(Fate::Settled(_)) if is_decided && self.finding.letter.queue().kind == QueueKind::Timer => Some(
                "its order was decided before: the deadline publishes the decision only if SNS did not take it".into(),
            ),
            Some(Fate::Settled(_)) if is_decided => {
                Some("handled: its queue is empty, and it has not failed again".into())
            }
            Some(Fate::Settled(record)) => record.reason.clone(),
            Some(Fate::FailedAgain) => {
                Some("failed all its deliveries again; it is back in the dead-letter queue".into())
            }
            Some(Fate::Open) if is_decided => Some(
                "not known to be handled: its queue was not empty in time; `twolane dlq` shows whether it fails again"
                    .into(),
            ),
            Some(Fate::Open) => Some("no outcome so far; `twolane dlq` shows whether it fails again".into()),
            None if self.moved == Some(false) => Some("not moved: it is in the dead-letter queue still".into()),
            None => self.finding.letter.oddity().map(|oddity| match oddity {
                Oddity::Stray(why) => format!("{why}; it will be back in the dead-letter queue"),
                Oddity::Refused(why) => format!("{why}; it is refused, and its owner is notified"),
            }),
        }
    }

    fn attempts(&self) -> Option<u32> {
        match &self.fate {
            Some(Fate::Settled(record)) if !self.finding.is_of_decided_order() => record.attempts,
            _ => None,
        }
    }

    /// Whether nothing is left to do for the message.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.fate, Some(Fate::Settled(_))) || self.is_refused()
    }

    /// Moved, and of an order that the worker refuses for its id, without a record.
    fn is_refused(&self) -> bool {
        self.moved == Some(true) && matches!(self.finding.letter.oddity(), Some(Oddity::Refused(_)))
    }

    fn json(&self) -> String {
        let letter = &self.finding.letter;
        let reason = self.reason();
        let report = Report {
            queue: letter.queue().name,
            event: letter.event(),
            message_id: letter.message_id(),
            order_id: letter.shown_order_id(),
            owner: letter.owner(),
            moved: self.moved,
            status_before: self.finding.status(),
            status: self.status(),
            reason: reason.as_deref(),
            attempts: self.attempts(),
        };
        serde_json::to_string(&report).expect("a report has only string keys, so it is always JSON")
    }

    fn row(&self) -> [String; HEADING.len()] {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let letter = &self.finding.letter;
        [
            letter.queue().name.to_owned(),
            or_unknown(letter.event().map(str::to_owned)),
            or_unknown(letter.shown_order_id()),
            or_unknown(self.finding.status().map(str::to_owned)),
            or_unknown(self.status().map(str::to_owned)),
            or_unknown(self.attempts().map(|attempts| attempts.to_string())),
            self.reason().unwrap_or_default(),
        ]
    }
}

/// Writes what became of the messages; whether all of it could be written to standard output.
pub(super) fn write(redriven: &[Redriven], json: bool) -> bool {
    let mut results = Results::stdout(if json { "redrive.jsonl" } else { "redrive.txt" });
    if json {
        for redriven in redriven {
            results.line(&redriven.json());
        }
    } else {
        let rows: Vec<_> = redriven.iter().map(Redriven::row).collect();
        // Names of queues and events are left out where only orders were moved.
        let is_named = redriven.iter().any(|redriven| redriven.finding.letter.event().is_some());
        let left_out = if is_named { 0 } else { 2 };
        let rows: Vec<_> = rows.iter().map(|row| &row[left_out..]).collect();
        let drawn = table::draw(&HEADING[left_out..], &rows);
        results.line(&format!("{drawn}\n\n{}", summary(redriven)));
    }
    if !results.are_written() {
        tell(&summary(redriven));
    }
    results.are_written()
}

/// How many messages came to what.
fn summary(redriven: &[Redriven]) -> String {
    let count = |holds: &dyn Fn(&Redriven) -> bool| redriven.iter().filter(|redriven| holds(redriven)).count();
    let is_decided = |redriven: &Redriven| redriven.finding.is_of_decided_order();
    let settled_as = |status: &'static str| {
        move |redriven: &Redriven| redriven.is_settled() && !is_decided(redriven) && redriven.status() == Some(status)
    };
    let is_open = |redriven: &Redriven| redriven.fate == Some(Fate::Open);
    let counts = [
        (count(&settled_as("CONFIRMED")), "confirmed"),
        (count(&settled_as("CANCELLED")), "cancelled"),
        (count(&settled_as("REJECTED")), "rejected"),
        (count(&|redriven| redriven.is_settled() && is_decided(redriven)), "handled"),
        (count(&|redriven| redriven.fate == Some(Fate::FailedAgain)), "failed again"),
        (count(&|redriven| is_open(redriven) && is_decided(redriven)), "not known to be handled"),
        (count(&|redriven| is_open(redriven) && !is_decided(redriven)), "without an outcome yet"),
        (count(&Redriven::is_refused), "refused for its order id"),
        (
            count(&|redriven| redriven.moved != Some(false) && redriven.fate.is_none() && !redriven.is_refused()),
            "no order",
        ),
        (count(&|redriven| redriven.moved == Some(false)), "not moved"),
    ];
    let counted = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("{}: {}", messages(redriven.len()), counted.collect::<Vec<_>>().join(", "))
}
