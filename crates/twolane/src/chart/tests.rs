use super::*;
use proptest::prelude::*;
use serde_json::{Map, value::RawValue};
use time::OffsetDateTime;
use twolane_client::money::Money;
use twolane_client::order_file::PlannedOrder;
use twolane_client::timeline::{Acknowledgement, End, ObservedOutcome, Repeat};

fn milli(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn timeline(lane: &str, name: &str, done: u64, outcome: ObservedOutcome) -> Timeline {
    Timeline {
        order: PlannedOrder {
            line: 1,
            name: Some(name.to_owned()),
            order_id: "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b".to_owned(),
            is_repeat: false,
            body: RawValue::from_string("{}".to_owned()).expect("it is JSON"),
            content: Map::new(),
        },
        total: Some(Money { currency: "EUR".to_owned(), minor_units: 5997 }),
        lane: lanes::lane(lane).expect("it is in the table"),
        sent_at: OffsetDateTime::UNIX_EPOCH,
        repeats: Vec::new(),
        http_status: Some(201),
        acknowledged: None,
        end: End { at: milli(done), outcome, by: DoneBy::Answer },
    }
}

fn queued(name: &str, acknowledged: u64, done: u64, by: DoneBy) -> Timeline {
    let mut timeline = timeline("async", name, done, ObservedOutcome::confirmed());
    timeline.acknowledged = Some(Acknowledgement { at: milli(acknowledged), message_id: None });
    timeline.end.by = by;
    timeline
}

fn drawn(timelines: &[Timeline], width: usize) -> String {
    format!("\n{}", draw(timelines, width, Style::PLAIN))
}

#[test]
fn draws_the_sync_lane_on_one_scale() {
    let refused = ObservedOutcome::because(ObservedStatus::Rejected, "The order is not valid: /currency: must be EUR.");
    let mut second = timeline("sync", "tea", 20, refused);
    second.http_status = Some(400);
    second.total = None;

    assert_eq!(
        drawn(&[timeline("sync", "coffee", 40, ObservedOutcome::confirmed()), second], 90),
        "
 order            total      0 ms────10───────20───────30───────40  answer
 5f0c1b0e coffee  EUR 59.97  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━●  201 CONFIRMED     40 ms
 5f0c1b0e tea             –  ━━━━━━━━━━━━━━━━━━●                    400 REJECTED      20 ms
   └ The order is not valid: /currency: must be EUR.
 ━ until answered   ● outcome"
    );
}

#[test]
fn draws_both_phases_of_the_async_lane() {
    let timelines = [queued("coffee", 10, 40, DoneBy::Callback), queued("tea", 20, 30, DoneBy::Fetch)];

    assert_eq!(
        drawn(&timelines, 100),
        "
 order            total      0 ms─────10────────20───────30────────40    queued  outcome
 5f0c1b0e coffee  EUR 59.97  ━━━━━━━━━━┿┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄●     10 ms  CONFIRMED     40 ms
 5f0c1b0e tea     EUR 59.97  ━━━━━━━━━━━━━━━━━━━━┿┄┄┄┄┄┄┄┄◆               20 ms  CONFIRMED     30 ms
 ━ until queued (202)   ┄ until the outcome   ● called back   ◆ fetched"
    );
}

#[test]
fn draws_the_steps_of_the_bus_lane_and_the_reason_of_a_refusal() {
    let step = |step: &str, state: &str, reason: Option<&str>| StepView {
        step: step.to_owned(),
        state: state.to_owned(),
        reason: reason.map(str::to_owned),
    };
    let lines = [
        (ObservedOutcome::confirmed(), [step("stock", "DONE", None), step("payment", "DONE", None)]),
        (
            ObservedOutcome::because(ObservedStatus::Cancelled, "SKU-1: 5 ordered, 2 left"),
            [step("stock", "REFUSED", Some("SKU-1: 5 ordered, 2 left")), step("payment", "UNDONE", None)],
        ),
        (
            ObservedOutcome::because(ObservedStatus::Cancelled, "the deadline passed"),
            [step("stock", "UNDONE", None), step("payment", "UNDONE", None)],
        ),
    ];
    let timelines = lines.map(|(outcome, steps)| {
        let mut timeline = queued("coffee", 10, 40, DoneBy::Callback);
        timeline.lane = lanes::lane("bus").expect("it is in the table");
        timeline.end.outcome = ObservedOutcome { steps: steps.to_vec(), ..outcome };
        timeline
    });

    let chart = drawn(&timelines, 100);

    let details: Vec<_> = chart.lines().filter(|line| line.starts_with("   └ ")).collect();
    assert_eq!(
        details,
        [
            "   └ stock DONE · payment DONE",
            "   └ stock REFUSED: SKU-1: 5 ordered, 2 left · payment UNDONE",
            "   └ stock UNDONE · payment UNDONE",
            "   └ the deadline passed",
        ]
    );
    assert!(chart.contains("CANCELLED     40 ms"), "{chart}");
}

#[test]
fn shows_repeats_and_orders_without_an_outcome() {
    let mut failed = timeline("sync", "coffee", 1040, ObservedOutcome::because(ObservedStatus::Error, "Busy."));
    failed.http_status = Some(503);
    failed.repeats = vec![Repeat { at: milli(20), why: "503 Busy.".to_owned(), wait: milli(1000) }];
    let mut unanswered =
        timeline("sync", "tea", 800, ObservedOutcome::because(ObservedStatus::Unanswered, "no connection"));
    unanswered.http_status = None;

    assert_eq!(
        drawn(&[failed, unanswered], 90),
        "
 order            total      0 ms───────────500──────────────1000─  answer
 5f0c1b0e coffee  EUR 59.97  ━↻━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━✕  503 ERROR       1040 ms
   └ ↻ at 20 ms: 503 Busy. – repeated after 1000 ms
   └ Busy.
 5f0c1b0e tea     EUR 59.97  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━✕          –   UNANSWERED   800 ms
   └ no connection (order 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b)
 ━ until answered   ✕ no outcome   ↻ repeated"
    );
}

#[test]
fn keeps_to_80_columns() {
    let mut long = queued("a-name-of-thirty-two-characters-", 10, 40, DoneBy::Callback);
    long.order.is_repeat = true;
    long.end.outcome = ObservedOutcome::because(ObservedStatus::Rejected, "no ".repeat(100));

    let chart = drawn(&[long], 80);

    assert!(chart.lines().all(|line| line.chars().count() <= 80), "{chart}");
    assert!(chart.contains(" a-name-of-thirty-t…"), "{chart}");
}

#[test]
fn a_callback_before_the_acknowledgement_ends_the_bar() {
    let chart = drawn(&[queued("coffee", 40, 30, DoneBy::Callback), queued("tea", 0, 40, DoneBy::Callback)], 100);

    assert!(!chart.lines().nth(2).expect("a row").contains(ACKNOWLEDGED), "{chart}");
}

#[test]
fn rulers_have_round_numbers() {
    let cases = [
        (milli(1), 24, "0 ms───────────────────1"),
        (milli(43), 24, "0 ms──────20────────40──"),
        (milli(999), 40, "0 ms──200─────400────600─────800────────"),
        (milli(60_000), 30, "0 s──────20───────40────────60"),
        (milli(123), 16, "0 ms──────100───"),
    ];
    for (longest, cells, ruler) in cases {
        assert_eq!(scale(longest, cells), ruler);
    }
}

proptest! {
    #[test]
    fn every_ruler_is_as_long_as_its_bar(longest in 1..100_000_000_u64, cells in MIN_BAR_CELLS..120) {
        let ruler = scale(milli(longest), cells);

        prop_assert_eq!(ruler.chars().count(), cells);
        prop_assert!(ruler.starts_with("0 ms─") || ruler.starts_with("0 s─"), "{}", ruler);
        prop_assert!(ruler.chars().filter(char::is_ascii_digit).count() > 1, "{}", ruler);
    }
}

#[test]
fn writes_durations_in_milliseconds_or_seconds() {
    assert_eq!(milliseconds(Duration::from_micros(4_240)), "4.2 ms");
    assert_eq!(milliseconds(milli(9_999)), "9999 ms");
    assert_eq!(milliseconds(milli(61_000)), "61.0 s");
}

#[test]
fn colours_follow_the_status() {
    assert_eq!(
        [
            ObservedStatus::Confirmed,
            ObservedStatus::Rejected,
            ObservedStatus::Failed,
            ObservedStatus::Error,
            ObservedStatus::Unanswered
        ]
        .map(tone),
        [Tone::Good, Tone::NotConfirmed, Tone::Bad, Tone::Bad, Tone::Bad]
    );
}
