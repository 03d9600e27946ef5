//! Warnings above the figures.

use super::{each, escape};
use crate::model::{Report, TargetKind};
use crate::words::counted;

struct Notice {
    /// CSS class of the severity.
    style: &'static str,
    title: String,
    text: String,
    items: Vec<String>,
}

/// The worst first.
pub(super) fn notices(report: &Report) -> String {
    let all = [
        off_schedule(report),
        errors(report),
        lost(report),
        disagreement(report),
        interrupted(report),
        emulator(report),
    ];
    all.into_iter().flatten().map(|notice| shown(&notice)).collect()
}

fn shown(notice: &Notice) -> String {
    let items = each(&notice.items, |item| format!("<li>{}</li>", escape(item)));
    let items = if items.is_empty() { items } else { format!("\n<ul>{items}</ul>") };
    let (style, title, text) = (notice.style, escape(&notice.title), escape(&notice.text));
    format!("<aside class=\"notice {style}\">\n<h2>{title}</h2>\n<p>{text}</p>{items}\n</aside>\n")
}

fn off_schedule(report: &Report) -> Option<Notice> {
    let generator = &report.run.generator;
    (!generator.on_schedule).then(|| Notice {
        style: "bad",
        title: "Do not use these figures".to_owned(),
        text: format!(
            "The load generator was not on schedule: {}. Effects in the figures may come from the generator, not \
             from the stack.",
            generator.reason.as_deref().unwrap_or("no reason is given")
        ),
        items: Vec::new(),
    })
}

fn errors(report: &Report) -> Option<Notice> {
    let number = report.errors.len() as u64;
    (number > 0).then(|| Notice {
        style: "bad",
        title: format!("The run has {}", counted(number, "error", "errors")),
        text: "Do not rely on the figures until the errors are explained.".to_owned(),
        items: report.errors.clone(),
    })
}

fn lost(report: &Report) -> Option<Notice> {
    let lanes = report.lanes.iter().filter(|lane| lane.counts.lost > 0);
    let items: Vec<_> = lanes
        .map(|lane| {
            let lost = counted(lane.counts.lost, "accepted order", "accepted orders");
            format!("{} lane: {lost} without an outcome", lane.lane.name)
        })
        .collect();
    (!items.is_empty()).then(|| Notice {
        style: "bad",
        title: "Orders were lost".to_owned(),
        text: "The orders had no outcome when the grace period ended.".to_owned(),
        items,
    })
}

fn disagreement(report: &Report) -> Option<Notice> {
    let found = report.lanes.iter().filter_map(|lane| Some((lane.lane.name, lane.reconciliation.as_ref()?)));
    let items: Vec<_> = found
        .flat_map(|(lane, found)| found.mismatches.iter().map(move |what| format!("{lane} lane: {what}")))
        .collect();
    (!items.is_empty()).then(|| Notice {
        style: "bad",
        title: "The orders table does not agree".to_owned(),
        text: "The stored orders differ from the measurement.".to_owned(),
        items,
    })
}

fn interrupted(report: &Report) -> Option<Notice> {
    report.run.interrupted.then(|| Notice {
        style: "caution",
        title: "Interrupted".to_owned(),
        text: "The run ended before its schedule. The figures cover the orders sent until then.".to_owned(),
        items: Vec::new(),
    })
}

fn emulator(report: &Report) -> Option<Notice> {
    (report.run.target.kind == TargetKind::Emulator).then(|| Notice {
        style: "caution",
        title: "Measured on an emulator, not on AWS".to_owned(),
        text: "You can compare how the lanes behave: what is refused, waits or is lost. Times and costs differ from \
               AWS."
            .to_owned(),
        items: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_good_run_on_aws_has_no_notices() {
        let mut report = sample::report();
        report.run.target.kind = TargetKind::Aws;

        assert_eq!(notices(&report), "");
    }

    #[test]
    fn all_notices_are_shown_worst_first() {
        let mut report = sample::report();
        report.run.generator.on_schedule = false;
        report.run.generator.reason = Some("p99 <812 ms>".to_owned());
        report.run.interrupted = true;
        report.errors.push("the socket & more".to_owned());
        report.lanes[1].counts.lost = 2;
        report.lanes[0].reconciliation.as_mut().expect("it is there").mismatches.push("one is missing".to_owned());

        let notices = notices(&report);

        let parts = [
            "Do not use these figures",
            "p99 &lt;812 ms&gt;",
            "1\u{a0}error",
            "the socket &amp; more",
            "async lane: 2\u{a0}accepted orders",
            "sync lane: one is missing",
            "Interrupted",
            "Measured on an emulator",
        ];
        let places: Vec<_> = parts.map(|part| notices.find(part).unwrap_or_else(|| panic!("{part}: {notices}"))).into();
        assert!(places.is_sorted(), "{notices}");
    }
}
