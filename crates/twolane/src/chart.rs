//! Draws timelines as text, one line per order, all on one scale.

use crate::style::{Style, Tone};
use lanes::{Answer, Lane};
use orders_api::StepView;
use std::time::Duration;
use twolane_client::timeline::{DoneBy, ObservedStatus, Timeline};
use twolane_report::printable;

/// Characters of an order id that distinguish orders.
const SHORT_ID_CHARS: usize = 8;
const GAP: &str = "  ";
/// Bars this wide are easy to compare: order ids are left out to reach it.
const GOOD_BAR_CELLS: usize = 24;
/// Names are cut to reach this width of a bar.
const MIN_BAR_CELLS: usize = 16;
/// Shortest name.
const MIN_LABEL_CHARS: usize = 10;

const IN_FLIGHT: char = '━';
const QUEUED: char = '┄';
const ACKNOWLEDGED: char = '┿';
const REPEATED: char = '↻';
const ANSWERED: char = '●';
const FETCHED: char = '◆';
const NO_OUTCOME: char = '✕';

/// Draws all timelines in lines of `width` columns.
pub(crate) fn draw(timelines: &[Timeline], width: usize, style: Style) -> String {
    let Some(first) = timelines.first() else { return String::new() };
    let table = Table::new(timelines, width, first.lane);
    let mut lines = vec![table.header(style)];
    for timeline in timelines {
        lines.push(table.row(timeline, style));
        lines.extend(details(timeline, width).into_iter().map(|line| style.paint(Tone::Faint, &line)));
    }
    lines.push(style.paint(Tone::Faint, &legend(timelines, first.lane)));
    lines.join("\n")
}

/// Widths that all rows share.
struct Table {
    lane: Lane,
    show_id: bool,
    label_chars: usize,
    amount_chars: usize,
    bar_cells: usize,
    longest: Duration,
}

impl Table {
    fn new(timelines: &[Timeline], width: usize, lane: Lane) -> Self {
        let longest = timelines.iter().map(|timeline| timeline.end.at).max().unwrap_or_default();
        let amounts = timelines.iter().filter_map(|timeline| timeline.total.as_ref());
        let amount_chars = amounts.map(|total| total.amount().len()).max().unwrap_or(1);
        let mut table = Self {
            lane,
            show_id: true,
            label_chars: 0,
            amount_chars,
            bar_cells: 0,
            longest: longest.max(Duration::from_millis(1)),
        };
        // All but label and bar: margin, currency and its space, three gaps, result.
        let taken = 1 + 4 + amount_chars + 3 * GAP.len() + table.result_header().chars().count();
        let room = width.saturating_sub(taken);
        let longest_label = |show_id| {
            timelines.iter().map(|timeline| label(timeline, show_id).chars().count()).max().unwrap_or_default()
        };
        table.show_id = longest_label(true) + GOOD_BAR_CELLS <= room;
        let most = room.saturating_sub(MIN_BAR_CELLS).max(MIN_LABEL_CHARS);
        table.label_chars = longest_label(table.show_id).clamp(5, most);
        table.bar_cells = room.saturating_sub(table.label_chars).max(MIN_BAR_CELLS);
        table
    }

    fn result_header(&self) -> &'static str {
        match self.lane.answer {
            Answer::Outcome => "answer                ",
            Answer::Receipt => "  queued  outcome            ",
        }
    }

    fn header(&self, style: Style) -> String {
        let (label, total) = (self.label_chars, self.amount_chars + 4);
        let scale = scale(self.longest, self.bar_cells);
        let text = format!(" {:<label$}{GAP}{:<total$}{GAP}{scale}{GAP}{}", "order", "total", self.result_header());
        style.paint(Tone::Faint, text.trim_end())
    }

    fn row(&self, timeline: &Timeline, style: Style) -> String {
        let label = fit(&label(timeline, self.show_id), self.label_chars);
        let amount = self.amount_chars;
        let total = match &timeline.total {
            Some(total) => format!("{:<3} {:>amount$}", total.currency, total.amount()),
            None => format!("{:<3} {:>amount$}", "", "–"),
        };
        let end = &timeline.end;
        let status = style.paint(tone(end.outcome.status), &format!("{:<10}", end.outcome.status.name()));
        let done = format!("{:>8}", milliseconds(end.at));
        let result = match self.lane.answer {
            Answer::Outcome => format!("{:<3} {status} {done}", http_status(timeline)),
            Answer::Receipt => {
                let queued = timeline.acknowledged.as_ref().map(|acknowledged| milliseconds(acknowledged.at));
                format!("{:>8}  {status} {done}", queued.unwrap_or_else(|| http_status(timeline)))
            }
        };
        format!(" {label}{GAP}{total}{GAP}{}{GAP}{result}", self.bar(timeline, style))
    }

    fn bar(&self, timeline: &Timeline, style: Style) -> String {
        let end = self.cell(timeline.end.at);
        let acknowledged = timeline.acknowledged.as_ref().map(|acknowledged| self.cell(acknowledged.at));
        let in_flight = acknowledged.unwrap_or(end).min(end);
        let mut cells = vec![IN_FLIGHT; in_flight];
        for repeat in &timeline.repeats {
            if let Some(cell) = cells.get_mut(self.cell(repeat.at)) {
                *cell = REPEATED;
            }
        }
        let mut flight: String = cells.into_iter().collect();
        let mut queued = String::new();
        if in_flight < end {
            flight.push(ACKNOWLEDGED);
            queued.extend(std::iter::repeat_n(QUEUED, end - in_flight - 1));
        }
        let tone = tone(timeline.end.outcome.status);
        let rest = " ".repeat(self.bar_cells.saturating_sub(end + 1));
        format!("{flight}{}{rest}", style.paint(tone, &format!("{queued}{}", end_mark(timeline))))
    }

    /// The cell of a time. The longest timeline ends in the last cell.
    fn cell(&self, at: Duration) -> usize {
        position(at, self.longest, self.bar_cells)
    }
}

fn position(at: Duration, longest: Duration, cells: usize) -> usize {
    let last = cells.saturating_sub(1);
    let position = at.as_micros() * last as u128 + longest.as_micros() / 2;
    usize::try_from(position / longest.as_micros().max(1)).unwrap_or(last).min(last)
}

/// A ruler of `cells` characters, with each round number ending at its position: `0 ms────────20────────40──`.
fn scale(longest: Duration, cells: usize) -> String {
    let (unit, zero) = if longest >= Duration::from_secs(10) { (1_000, "0 s") } else { (1, "0 ms") };
    let longest_units = usize::try_from(longest.as_millis() / unit).unwrap_or(usize::MAX);
    let step = round_step(longest_units, cells);
    let mut ruler = vec!['─'; cells];
    ruler.splice(..zero.len(), zero.chars());
    for tick in (step..=longest_units).step_by(step) {
        let at = Duration::from_millis(u64::try_from(tick as u128 * unit).unwrap_or(u64::MAX));
        let (end, number) = (position(at, longest, cells) + 1, tick.to_string());
        ruler.splice(end - number.len()..end, number.chars());
    }
    ruler.into_iter().collect()
}

/// The smallest step of 1, 2 or 5 × 10ⁿ at which all numbers fit on the ruler. If only one fits, the longest duration,
/// rounded down to its first digit.
fn round_step(longest: usize, cells: usize) -> usize {
    // A number, "0 ms" before it, and 3 cells of line.
    let needed = longest.to_string().len() + 7;
    let ticks = cells / needed;
    let powers = std::iter::successors(Some(1_usize), |power| power.checked_mul(10));
    if ticks <= 1 {
        let power = powers.take_while(|power| *power <= longest).last().unwrap_or(1);
        return (longest / power).max(1) * power;
    }
    let mut steps = powers.flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)));
    steps.find(|step| longest / step <= ticks).unwrap_or(longest)
}

fn label(timeline: &Timeline, show_id: bool) -> String {
    let id = &timeline.order.order_id[..SHORT_ID_CHARS];
    let again = if timeline.order.is_repeat { " again" } else { "" };
    match &timeline.order.name {
        Some(name) if show_id => format!("{id} {name}{again}"),
        Some(name) => format!("{name}{again}"),
        None => format!("{id}{again}"),
    }
}

/// Pads or cuts to exactly `columns`.
fn fit(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return format!("{text:<columns$}");
    }
    let start: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{start}…")
}

fn http_status(timeline: &Timeline) -> String {
    timeline.http_status.map_or_else(|| "–".to_owned(), |status| status.to_string())
}

fn tone(status: ObservedStatus) -> Tone {
    match status {
        ObservedStatus::Confirmed => Tone::Good,
        ObservedStatus::Cancelled | ObservedStatus::Rejected => Tone::NotConfirmed,
        ObservedStatus::Failed | ObservedStatus::Error | ObservedStatus::Unanswered => Tone::Bad,
    }
}

fn end_mark(timeline: &Timeline) -> char {
    match (timeline.end.outcome.status, timeline.end.by) {
        (ObservedStatus::Error | ObservedStatus::Unanswered, _) => NO_OUTCOME,
        (_, DoneBy::Fetch) => FETCHED,
        _ => ANSWERED,
    }
}

/// In milliseconds below 10 s, else in seconds.
pub(crate) fn milliseconds(duration: Duration) -> String {
    match duration.as_millis() {
        0..10 => format!("{:.1} ms", duration.as_secs_f64() * 1_000.0),
        10..10_000 => format!("{} ms", duration.as_millis()),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// Lines under a bar: repeats, the end of each step, and why an order was not confirmed.
fn details(timeline: &Timeline, width: usize) -> Vec<String> {
    let outcome = &timeline.end.outcome;
    let repeats = timeline.repeats.iter().map(|repeat| {
        let (at, wait) = (milliseconds(repeat.at), milliseconds(repeat.wait));
        format!("{REPEATED} at {at}: {} – repeated after {wait}", repeat.why)
    });
    // The refusing step has the same reason.
    let is_shown = |reason: &String| outcome.steps.iter().any(|step| step.reason.as_ref() == Some(reason));
    let reason = outcome.reason.clone().filter(|reason| !reason.is_empty() && !is_shown(reason)).map(|reason| {
        // The reader needs the id to poll the order later.
        let unanswered = outcome.status == ObservedStatus::Unanswered;
        if unanswered { format!("{reason} (order {})", timeline.order.order_id) } else { reason }
    });
    repeats.chain(steps(timeline)).chain(reason).flat_map(|text| wrap(&printable(&text), width)).collect()
}

/// `stock REFUSED: 5 ordered, 2 left · payment UNDONE · shipment UNDONE`.
fn steps(timeline: &Timeline) -> Option<String> {
    let step = |step: &StepView| {
        let reason = step.reason.as_ref().map(|reason| format!(": {reason}"));
        format!("{} {}{}", step.step, step.state, reason.unwrap_or_default())
    };
    let steps: Vec<_> = timeline.end.outcome.steps.iter().map(step).collect();
    (!steps.is_empty()).then(|| steps.join(" · "))
}

/// Lines of at most `width` columns, indented under their row.
fn wrap(text: &str, width: usize) -> Vec<String> {
    const FIRST: &str = "   └ ";
    const NEXT: &str = "     ";
    let mut lines = vec![FIRST.to_owned()];
    let mut used = FIRST.chars().count();
    for word in text.split_whitespace() {
        let chars = word.chars().count();
        if used + chars > width && used > NEXT.len() {
            lines.push(NEXT.to_owned());
            used = NEXT.len();
        }
        let line = lines.last_mut().expect("there is a first line");
        line.push_str(word);
        line.push(' ');
        used += chars + 1;
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn legend(timelines: &[Timeline], lane: Lane) -> String {
    let ended = |mark| timelines.iter().any(|timeline| end_mark(timeline) == mark);
    let queued = timelines.iter().any(|timeline| timeline.acknowledged.is_some());
    let repeated = timelines.iter().any(|timeline| !timeline.repeats.is_empty());
    let (in_flight, answered) = match lane.answer {
        Answer::Outcome => ("until answered".to_owned(), "outcome"),
        Answer::Receipt => {
            let accepted: Vec<_> = lane.accepted.iter().map(u16::to_string).collect();
            (format!("until queued ({})", accepted.join(", ")), "called back")
        }
    };
    let entries = [
        (true, format!("{IN_FLIGHT} {in_flight}")),
        (queued, format!("{QUEUED} until the outcome")),
        (ended(ANSWERED), format!("{ANSWERED} {answered}")),
        (ended(FETCHED), format!("{FETCHED} fetched")),
        (ended(NO_OUTCOME), format!("{NO_OUTCOME} no outcome")),
        (repeated, format!("{REPEATED} repeated")),
    ];
    let used: Vec<_> = entries.into_iter().filter_map(|(used, text)| used.then_some(text)).collect();
    format!(" {}", used.join("   "))
}

#[cfg(test)]
mod tests;
