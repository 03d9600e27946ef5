//! A run in a few lines.

use crate::chart::milliseconds;
use reqwest::Url;
use std::time::Duration;
use twolane_client::network::is_loopback;
use twolane_client::timeline::{ObservedStatus, Timeline};

/// Orders by status, including those not sent, how long they took, and the origin of the times.
pub(crate) fn write(timelines: &[Timeline], not_sent: usize, api_url: &Url) -> String {
    let mut lines = vec![counts(timelines, not_sent)];
    let acknowledged =
        timelines.iter().filter_map(|timeline| timeline.acknowledged.as_ref()).map(|ack| ack.at).collect();
    let settled = timelines.iter().filter(|timeline| timeline.end.outcome.status.is_final());
    lines.extend(spread("queued ", acknowledged));
    lines.extend(spread("outcome", settled.map(|timeline| timeline.end.at).collect()));
    lines.push(if is_loopback(api_url) {
        "Measured on a local emulator: these latencies say nothing about AWS.".to_owned()
    } else {
        format!("Measured from this machine against {api_url}, including the network between.")
    });
    lines.join("\n")
}

fn counts(timelines: &[Timeline], not_sent: usize) -> String {
    let statuses = [
        (ObservedStatus::Confirmed, "confirmed"),
        (ObservedStatus::Cancelled, "cancelled"),
        (ObservedStatus::Rejected, "rejected"),
        (ObservedStatus::Failed, "failed"),
        (ObservedStatus::Error, "answered with an error"),
        (ObservedStatus::Unanswered, "unanswered"),
    ];
    let count = |status| timelines.iter().filter(|timeline| timeline.end.outcome.status == status).count();
    let counted = statuses.map(|(status, word)| (count(status), word)).into_iter().chain([(not_sent, "not sent")]);
    let parts: Vec<_> =
        counted.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    format!("{}: {}", orders(timelines.len() + not_sent), parts.join(", "))
}

/// `1 order`, `2 orders`.
pub(crate) fn orders(count: usize) -> String {
    if count == 1 { "1 order".to_owned() } else { format!("{count} orders") }
}

/// Of two or more durations: the chart already shows a single one.
fn spread(name: &str, mut durations: Vec<Duration>) -> Option<String> {
    if durations.len() < 2 {
        return None;
    }
    durations.sort();
    let (min, max) = (*durations.first()?, *durations.last()?);
    let middle = durations.len() / 2;
    let median =
        if durations.len() % 2 == 1 { durations[middle] } else { (durations[middle - 1] + durations[middle]) / 2 };
    let [min, median, max] = [min, median, max].map(milliseconds);
    Some(format!("{name}  min {min:>8}   median {median:>8}   max {max:>8}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_the_two_middle_durations_of_an_even_number() {
        let durations = [40, 10, 20, 30].map(Duration::from_millis).to_vec();

        assert_eq!(
            spread("queued ", durations).expect("there are four"),
            "queued   min    10 ms   median    25 ms   max    40 ms"
        );
    }

    #[test]
    fn shows_no_spread_of_fewer_than_two_durations() {
        for count in [0, 1] {
            assert_eq!(spread("queued ", vec![Duration::ZERO; count]), None);
        }
    }
}
