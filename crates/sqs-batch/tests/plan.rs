//! Random batches and their expected results: a second, simple implementation of this crate's rules.

use crate::records::BACKOFF;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeSet, ops::RangeInclusive};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Retry,
    RetryAfter,
    Poison,
    Panic,
    Hang,
    NotAMessage,
}

use Fate::{Done, Hang, NotAMessage, Panic, Poison, Retry, RetryAfter};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    Own,
    /// Several records have this id.
    Shared(u8),
    Empty,
    Missing,
}

#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) fate: Fate,
    id: Id,
    group: u8,
    receive_count: u32,
    has_receipt_handle: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) fifo: bool,
    pub(crate) concurrency: usize,
    pub(crate) records: Vec<Planned>,
}

/// The expected result of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The handler gets the message.
    pub(crate) handled: bool,
    pub(crate) done: bool,
    /// Seconds until it is redelivered, if its visibility timeout is changed.
    pub(crate) after: Option<RangeInclusive<u64>>,
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    // So that most plans get past their first record.
    let fate = prop_oneof![
        6 => Just(Done),
        1 => prop_oneof![Just(Retry), Just(RetryAfter), Just(Poison), Just(Panic), Just(Hang), Just(NotAMessage)],
    ];
    let id = prop_oneof![
        60 => Just(Id::Own),
        8 => (0..3_u8).prop_map(Id::Shared),
        1 => Just(Id::Empty),
        1 => Just(Id::Missing),
    ];
    let record = (fate, id, 0..4_u8, 1..14_u32, prop::bool::weighted(0.95)).prop_map(
        |(fate, id, group, receive_count, has_receipt_handle)| Planned {
            fate,
            id,
            group,
            receive_count,
            has_receipt_handle,
        },
    );
    (any::<bool>(), 1..12_usize, prop::collection::vec(record, 0..40)).prop_map(|(fifo, concurrency, records)| Plan {
        fifo,
        concurrency,
        records,
    })
}

impl Plan {
    /// `None` if the record cannot be reported.
    pub(crate) fn id(&self, index: usize) -> Option<String> {
        match self.records[index].id {
            Id::Own => Some(format!("own-{index}")),
            Id::Shared(number) => Some(format!("shared-{number}")),
            Id::Empty | Id::Missing => None,
        }
    }

    pub(crate) fn event(&self) -> Value {
        let record = |(index, planned): (usize, &Planned)| {
            let suffix = if self.fifo { ".fifo" } else { "" };
            let mut record = json!({
                "body": index.to_string(),
                "attributes": {
                    "ApproximateReceiveCount": planned.receive_count.to_string(),
                    "MessageGroupId": planned.group.to_string(),
                },
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:orders{suffix}"),
            });
            if planned.id != Id::Missing {
                record["messageId"] = json!(self.id(index).unwrap_or_default());
            }
            if planned.has_receipt_handle {
                record["receiptHandle"] = json!(format!("handle-{index}"));
            }
            if planned.fate == NotAMessage {
                record["body"] = json!(["no", "text"]);
            }
            record
        };
        json!({"Records": self.records.iter().enumerate().map(record).collect::<Vec<_>>()})
    }

    /// Records that are handled in order.
    pub(crate) fn sequences(&self) -> Vec<Vec<usize>> {
        let together = |a: usize, b: usize| {
            if self.fifo {
                self.records[a].group == self.records[b].group
            } else {
                a == b || (self.id(a).is_some() && self.id(a) == self.id(b))
            }
        };
        let all = 0..self.records.len();
        let first = |index: &usize| !(0..*index).any(|earlier| together(earlier, *index));
        let members = |first: usize| all.clone().filter(|index| together(first, *index)).collect();
        all.clone().filter(first).map(members).collect()
    }

    /// By index.
    pub(crate) fn expected(&self) -> Vec<Expected> {
        let mut expected = vec![Expected { handled: false, done: false, after: None }; self.records.len()];
        let mut hanging = 0;
        for sequence in self.sequences() {
            let mut stopped = None;
            for index in sequence {
                let planned = &self.records[index];
                // Each message that hangs occupies a handler until time is out.
                let reached = stopped.is_none() && hanging < self.concurrency;
                let handled = reached && planned.fate != NotAMessage;
                hanging += usize::from(handled && planned.fate == Hang);
                let done = handled && planned.fate == Done;
                if !done && stopped.is_none() {
                    stopped = Some(if reached || planned.fate == NotAMessage { planned.after() } else { None });
                }
                expected[index] = Expected { handled, done, after: stopped.clone().flatten() };
            }
        }
        for (index, expected) in expected.iter_mut().enumerate() {
            expected.after = expected.after.take().filter(|_| self.records[index].has_receipt_handle);
        }
        expected
    }

    /// `None` if the whole batch must be redelivered.
    pub(crate) fn failed(&self) -> Option<BTreeSet<String>> {
        let expected = self.expected();
        (0..self.records.len()).filter(|index| !expected[*index].done).map(|index| self.id(index)).collect()
    }
}

impl Planned {
    /// When it is redelivered, if it was reached.
    fn after(&self) -> Option<RangeInclusive<u64>> {
        match self.fate {
            RetryAfter => Some(0..=BACKOFF.bound(self.receive_count).as_secs()),
            Poison | NotAMessage if self.receive_count <= 10 => Some(0..=0),
            _ => None,
        }
    }
}
