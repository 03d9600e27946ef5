//! Several reports as JSON.

use crate::figures::figures;
use crate::model::Report;
use crate::text::ratio;
use serde_json::{Map, Value, json};

/// By run and lane, with ratios to the first run.
#[must_use]
pub fn comparison_json(reports: &[(String, Report)]) -> Value {
    let first = reports.first().map(|(_, report)| report);
    let runs: Vec<_> = reports.iter().map(|(file, report)| run_figures(file, report, first)).collect();
    json!({ "runs": runs })
}

fn run_figures(file: &str, report: &Report, first: Option<&Report>) -> Value {
    let mut lanes = Map::new();
    for lane in &report.lanes {
        let of_first = first.into_iter().flat_map(|first| &first.lanes).find(|other| other.lane == lane.lane);
        let of_first = of_first.map(figures);
        let mut shown = Map::new();
        for (index, figure) in figures(lane).into_iter().enumerate() {
            let ratio = of_first.as_ref().and_then(|first| ratio(figure.value, first[index].value));
            shown.insert(figure.key, json!({"value": figure.value, "ratio": ratio}));
        }
        lanes.insert(lane.lane.name.to_owned(), Value::Object(shown));
    }
    json!({"file": file, "id": report.run.id, "scenario": report.run.scenario, "lanes": lanes})
}
