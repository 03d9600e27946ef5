use super::*;
use crate::PriceTable;
use crate::model::{Counts, LaneReport, Latencies, Usage};
use crate::{complete, judge, sample};

fn completed() -> Report {
    let mut report = sample::report();
    complete(&mut report, &PriceTable::embedded());
    report
}

/// A well-formed page without NaN and infinity.
fn sound_page(report: &Report) -> String {
    let page = page(report);
    for odd in ["NaN", ">inf", "\"inf", "-inf"] {
        assert!(!page.contains(odd), "{odd}: {page}");
    }
    for tag in ["section", "svg", "table", "details", "ul", "div", "p", "h2", "h3", "aside", "text", "title"] {
        let (opened, plain) = (format!("<{tag} "), format!("<{tag}>"));
        let opened = page.matches(&opened).count() + page.matches(&plain).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}: {page}");
    }
    page
}

fn without_orders(lane: &mut LaneReport) {
    (lane.counts, lane.usage) = (Counts::default(), Usage::default());
    lane.timeline.clear();
    lane.latencies = Latencies { acknowledge: None, done_by_callback: None, done_by_poll: None };
    lane.dead_letters = None;
    lane.reconciliation = None;
}

#[test]
fn a_run_of_both_lanes_has_every_part() {
    let page = sound_page(&completed());

    for part in ["verdict", "glance", "latency", "outcomes", "timeline", "cost", "figures", "run"] {
        assert!(page.contains(&format!("<section id=\"{part}\"")), "{part}: {page}");
    }
    // Latency, outcomes, cost, and each lane's timeline, in two sizes.
    assert_eq!(page.matches("role=\"img\"").count(), 10);
    assert!(!page.contains("No data"), "{page}");
}

#[test]
fn makes_no_requests_and_has_no_scripts() {
    let page = page(&completed());

    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    for forbidden in ["<script", "src=", "@import", "url(", " on", "<iframe"] {
        let found = page.match_indices(forbidden).find(|(at, _)| forbidden != " on" || is_handler(&page[*at..]));
        assert_eq!(found, None, "{forbidden}");
    }
}

/// Such as ` onclick=`.
fn is_handler(text: &str) -> bool {
    let name = text.trim_start();
    let end = name.find(|character: char| !character.is_ascii_lowercase()).unwrap_or(name.len());
    name[end..].starts_with('=')
}

#[test]
fn a_run_of_one_lane_has_a_page() {
    for index in [0, 1] {
        let mut report = sample::report();
        report.lanes = vec![report.lanes.remove(index)];
        complete(&mut report, &PriceTable::embedded());

        let page = sound_page(&report);

        assert_eq!(page.matches("role=\"img\"").count(), 8);
    }
}

#[test]
fn a_run_without_orders_says_why_there_are_no_charts() {
    let mut report = sample::report();
    report.lanes.iter_mut().for_each(without_orders);
    complete(&mut report, &PriceTable::embedded());

    let page = sound_page(&report);

    assert_eq!(page.matches("<p class=\"empty\">No data: ").count(), 4);
    assert!(page.contains("The sync lane was sent nothing."), "{page}");
}

#[test]
fn a_lane_without_orders_next_to_one_with_them_is_shown() {
    let mut report = sample::report();
    without_orders(&mut report.lanes[0]);
    complete(&mut report, &PriceTable::embedded());

    let page = sound_page(&report);

    for part in ["The sync lane accepted no order", "The sync lane has no cost", "No data: this lane has no timeline"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_run_without_lanes_and_costs_has_a_page() {
    let mut report = sample::report();
    report.lanes.clear();

    let page = sound_page(&report);

    assert!(page.contains("No data: the run has no lane."), "{page}");
}

#[test]
fn promises_have_a_section() {
    let mut report = completed();
    assert!(!sound_page(&report).contains("id=\"promises\""));
    judge(&mut report, &["sync.refused<1%".parse().expect("a promise")]);

    let page = sound_page(&report).replace('\u{a0}', " ");

    let row = "<th scope=\"row\">sync.refused&lt;1%</th><td>sync</td><td>46.00 %</td><td>FAIL</td>";
    assert!(page.contains("id=\"promises\"") && page.contains(row), "{page}");
}

#[test]
fn all_content_of_the_report_is_escaped() {
    let evil = "<img src=x onerror=alert(1)>\"'&\u{202e}";
    let mut report = completed();
    let run = &mut report.run;
    for text in [&mut run.id, &mut run.scenario, &mut run.started_at, &mut run.target.api_url, &mut run.twolane_version]
    {
        evil.clone_into(text);
    }
    run.git_commit = Some(evil.to_owned());
    run.scenario_settings.insert(evil.to_owned(), evil.to_owned());
    run.generator.on_schedule = false;
    run.generator.reason = Some(evil.to_owned());
    report.errors.push(evil.to_owned());
    report.verdict.push(evil.to_owned());
    report.lanes[0].reconciliation.as_mut().expect("it is there").mismatches.push(evil.to_owned());
    let part = &mut report.lanes[0].cost.as_mut().expect("priced").parts[0];
    (part.service, part.quantity) = (evil.to_owned(), evil.to_owned());
    let pricing = report.pricing.as_mut().expect("priced");
    (pricing.region, pricing.as_of) = (evil.to_owned(), evil.to_owned());
    pricing.sources.push(format!("https://{evil}"));
    pricing.left_out.push(evil.to_owned());

    let page = sound_page(&report);

    assert!(!page.contains("<img") && !page.contains('\u{202e}'), "{page}");
    assert!(page.matches("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\u{fffd}").count() > 15);
}
