//! Metrics in CloudWatch's embedded metric format: log lines that become metrics.
//! Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".

use crate::clock;
use serde_json::json;
use std::io::{self, Write};

const NAMESPACE: &str = "Twolane";

/// Writes `count` as the metric `name` with the dimension `function`, unless it is zero.
pub fn count(function: &str, name: &str, count: usize) {
    if count == 0 {
        return;
    }
    // A failed write of a metric must not fail the work.
    let _ = writeln!(io::stdout().lock(), "{}", line(function, name, count));
}

fn line(function: &str, name: &str, count: usize) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": clock::now().unix_ms(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["function"]],
                "Metrics": [{"Name": name, "Unit": "Count"}],
            }],
        },
        "function": function,
        name: count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_embedded_metric_format() {
        let line = line("process-orders", "NotificationsDropped", 2);

        assert_eq!(line["NotificationsDropped"], 2);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "NotificationsDropped");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function"]]));
        assert_eq!(line["function"], "process-orders");
    }
}
