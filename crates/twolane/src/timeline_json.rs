//! JSON output of `twolane order`: one object per order.

use orders_api::{Problem, StepView};
use serde::Serialize;
use std::time::Duration;
use twolane_client::timeline::{DoneBy, Timeline};
use twolane_client::timestamp::timestamp;

/// Every field is always present; `null` if it does not apply or is unknown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimelineJson<'a> {
    order_id: &'a str,
    name: Option<&'a str>,
    line: usize,
    lane: &'a str,
    /// At least 1.
    requests: usize,
    /// Time of the first request: RFC 3339, UTC, milliseconds.
    sent_at: String,
    /// From the first request to the receipt.
    acknowledged_ms: Option<f64>,
    /// From the first request to the outcome.
    done_ms: Option<f64>,
    /// `answer`, `callback` or `fetch`.
    done_by: Option<&'a str>,
    /// Of the last answer to the order's own request.
    http_status: Option<u16>,
    /// `CONFIRMED`, `CANCELLED`, `REJECTED`, `FAILED`, `ERROR` or `UNANSWERED`.
    status: &'a str,
    /// Id of the message in SQS or SNS.
    message_id: Option<&'a str>,
    /// Why it was not confirmed.
    reason: Option<&'a str>,
    /// The problem document of the answer.
    problem: Option<&'a Problem>,
    /// Only in a lane with steps, once there is an outcome.
    steps: Option<&'a [StepView]>,
}

pub(crate) fn line(timeline: &Timeline) -> String {
    let end = &timeline.end;
    let done_by = match end.by {
        DoneBy::Answer => Some("answer"),
        DoneBy::Callback => Some("callback"),
        DoneBy::Fetch => Some("fetch"),
        DoneBy::Nothing => None,
    };
    let acknowledged = timeline.acknowledged.as_ref();
    let json = TimelineJson {
        order_id: &timeline.order.order_id,
        name: timeline.order.name.as_deref(),
        line: timeline.order.line,
        lane: timeline.lane.name,
        requests: timeline.repeats.len() + 1,
        sent_at: timestamp(timeline.sent_at),
        acknowledged_ms: acknowledged.map(|acknowledged| milliseconds(acknowledged.at)),
        done_ms: done_by.map(|_| milliseconds(end.at)),
        done_by,
        http_status: timeline.http_status,
        status: end.outcome.status.name(),
        message_id: acknowledged.and_then(|acknowledged| acknowledged.message_id.as_deref()),
        reason: end.outcome.reason.as_deref(),
        problem: end.outcome.problem.as_ref(),
        steps: Some(end.outcome.steps.as_slice()).filter(|steps| !steps.is_empty()),
    };
    serde_json::to_string(&json).expect("the object has only string keys, so it is always JSON")
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_tenths_of_a_millisecond() {
        let written: Vec<_> =
            [0, 49_999, 50_000, 12_340_000].map(|nanos| milliseconds(Duration::from_nanos(nanos))).into();

        assert_eq!(written, [0.0, 0.0, 0.1, 12.3]);
    }
}
