//! Sections of the page.

use super::{Chart, bars, cdf, each, escape, outcomes, prices, tables, timeline};
use crate::model::{LaneReport, Report, TargetKind};
use crate::promise::{Together, together};
use crate::words::and;
use lanes::Answer;

/// The rest follows below.
const FIRST_FIGURES: [&str; 11] = [
    "counts.sent",
    "counts.accepted",
    "counts.confirmed",
    "counts.lost",
    "timeline.peakBacklog",
    "latencies.acknowledge.p50Ms",
    "latencies.acknowledge.p99Ms",
    "latencies.doneByCallback.p50Ms",
    "latencies.doneByCallback.p99Ms",
    "latencies.doneByPoll.p50Ms",
    "latencies.doneByPoll.p99Ms",
];

/// Scenario, lanes, target and time.
pub(super) fn header(report: &Report) -> String {
    let run = &report.run;
    let target = match run.target.kind {
        TargetKind::Emulator => "an emulator",
        TargetKind::Aws => "AWS",
    };
    let names: Vec<_> = report.lanes.iter().map(|lane| format!("the {}", lane.lane.name)).collect();
    let lanes = if names.is_empty() { "no lane".to_owned() } else { format!("{} lane", and(&names)) };
    let (scenario, id, started) = (escape(&run.scenario), escape(&run.id), escape(&run.started_at));
    format!(
        "<header>\n<p class=\"kicker\">Twolane comparison</p>\n<h1>Scenario “{scenario}”: {lanes}</h1>\n\
         <p class=\"where\">Run {id} on {target}, {started}</p>\n</header>\n"
    )
}

pub(super) fn verdict(report: &Report) -> String {
    let sentences = each(&report.verdict, |sentence| format!("<li>{}</li>\n", escape(sentence)));
    let body = if sentences.is_empty() {
        "<p class=\"empty\">This report has no verdict.</p>\n".to_owned()
    } else {
        format!("<ul class=\"verdict\">\n{sentences}</ul>\n")
    };
    section("verdict", "What the figures say", &body)
}

/// Required promises, and whether they are kept.
pub(super) fn promises(report: &Report) -> String {
    let rows: Vec<_> = together(std::slice::from_ref(report)).into_iter().map(Together::cells).collect();
    if rows.is_empty() {
        return String::new();
    }
    section("promises", "Promises", &tables::table("Required promises per lane", &["", "lane", "figure", ""], &rows))
}

pub(super) fn glance(report: &Report) -> String {
    let wanted = |key: &str| FIRST_FIGURES.contains(&key) || key.starts_with("cost.");
    let at_once = report.lanes.iter().filter(|lane| lane.lane.answer == Answer::Outcome);
    let at_once: Vec<_> = at_once.map(|lane| lane.lane.name.to_owned()).collect();
    let caption = if at_once.is_empty() {
        "An order is done later than it is acknowledged".to_owned()
    } else {
        format!("The {} lane's answer is the outcome: acknowledged orders are done", and(&at_once))
    };
    let body = tables::by_lane(report, &caption, wanted);
    if body.is_empty() { body } else { section("glance", "At a glance", &body) }
}

pub(super) fn latency(report: &Report) -> String {
    let caption = "Fraction of accepted orders by time since their due time. Further left is faster; the flatter a \
                line near the top, the longer its tail. Dots are the median and the 99th percentile.";
    let table = tables::by_lane(report, "Times of each lane", |key| key.starts_with("latencies."));
    charted("latency", "Latency", caption, cdf::chart(report), &table)
}

pub(super) fn outcomes(report: &Report) -> String {
    let caption = "Each bar shows all requests to the lane.";
    let table = tables::by_lane(report, "Orders of each lane", |key| key.starts_with("counts."));
    charted("outcomes", "What became of the orders", caption, outcomes::chart(&report.lanes), &table)
}

pub(super) fn timeline(report: &Report) -> String {
    let lanes = match report.lanes.len() {
        0 | 1 => "",
        2 => "Both lanes have the same scales. ",
        _ => "All lanes have the same scales. ",
    };
    let caption = format!(
        "{lanes}The grey area shows the scheduled arrivals. Refused orders are never done; waiting orders are done later."
    );
    let warm_up = match report.run.warm_up_seconds {
        seconds if seconds > 0.0 => {
            format!(" The first {seconds}\u{a0}s are the warm-up: they do not count in orders and latencies.")
        }
        _ => String::new(),
    };
    let table: String = report.lanes.iter().map(tables::timeline).collect();
    charted("timeline", "Over time", &(caption + &warm_up), timeline::chart(&report.lanes), &table)
}

/// Of a million orders.
pub(super) fn cost(report: &Report) -> String {
    let guessed = |lane: &LaneReport| lane.cost.as_ref().is_some_and(|cost| !cost.representative);
    let note = if report.lanes.iter().any(guessed) {
        " AWS did not measure these Lambda durations: the part “Lambda duration” is only an order of magnitude."
    } else {
        ""
    };
    let caption = format!(
        "At list prices, per million orders with an outcome. The cost of refused requests and retries is shared by \
         these orders.{note}"
    );
    charted(
        "cost",
        "What a million orders cost",
        &caption,
        bars::chart(&report.lanes),
        &(tables::costs(&report.lanes) + &prices::prices(report)),
    )
}

pub(super) fn figures(report: &Report) -> String {
    let table = tables::by_lane(report, "Every figure of each lane", |_| true);
    let body = if table.is_empty() { "<p class=\"empty\">No data: the run has no lane.</p>\n" } else { &table };
    section("figures", "All figures", body)
}

/// With a heading.
pub(super) fn section(id: &str, title: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{body}</section>\n"
    )
}

/// With a caption and the same data as a table. Without a chart, the reason.
pub(super) fn charted(id: &str, title: &str, caption: &str, chart: Chart, table: &str) -> String {
    let body = match chart {
        Ok(drawn) => format!("<p class=\"caption\">{caption}</p>\n<div class=\"charts\">\n{drawn}</div>\n"),
        Err(why) => format!("<p class=\"empty\">No data: {why}</p>\n"),
    };
    let table = if table.is_empty() {
        String::new()
    } else {
        format!("<details>\n<summary>As a table</summary>\n{table}</details>\n")
    };
    section(id, title, &(body + &table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_header_names_scenario_lanes_and_target_as_text() {
        let mut report = sample::report();
        report.run.scenario = "<script>".to_owned();

        let header = header(&report);

        assert!(header.contains("“&lt;script&gt;”: the sync and the async lane"), "{header}");
        assert!(header.contains("on an emulator, 2026-11-24T12:00:00.000Z"), "{header}");
    }

    #[test]
    fn a_chart_that_cannot_be_drawn_says_why() {
        let section = charted("x", "X", "a caption", Err("nothing was sent."), "");

        assert!(section.contains("<p class=\"empty\">No data: nothing was sent.</p>"), "{section}");
        assert!(!section.contains("<details>") && !section.contains("caption"), "{section}");
    }

    #[test]
    fn a_report_of_one_lane_mentions_one_lane() {
        let mut report = sample::report();
        assert!(timeline(&report).contains("Both lanes") && glance(&report).contains("The sync lane"));

        report.lanes.remove(0);

        assert!(!timeline(&report).contains("lanes have the same scales"));
        assert!(glance(&report).contains("An order is done later") && !glance(&report).contains("The sync lane"));
    }

    #[test]
    fn a_report_without_a_verdict_says_so() {
        assert!(verdict(&sample::report()).contains("has no verdict"));
    }

    #[test]
    fn a_warm_up_is_named_where_it_is_drawn() {
        let mut report = sample::report();
        assert!(timeline(&report).contains("The first 5\u{a0}s are the warm-up"));

        report.run.warm_up_seconds = 0.0;

        assert!(!timeline(&report).contains("warm-up"));
    }

    #[test]
    fn durations_that_lambda_did_not_measure_are_named() {
        let mut report = sample::report();
        assert!(!cost(&report).contains("order of magnitude"));

        crate::complete(&mut report, &crate::PriceTable::embedded());

        assert!(cost(&report).contains("order of magnitude"));
    }
}
