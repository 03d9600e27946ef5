//! Prices behind the costs, and break-even prices of queues.

use super::escape;
use super::tables::table;
use crate::model::{CapacityBreakEven, Pricing, Report};
use crate::words::{times, usd};

/// Sources and break-even prices. Empty if nothing was priced.
pub(super) fn prices(report: &Report) -> String {
    let Some(pricing) = &report.pricing else { return String::new() };
    let tables = pricing.crossovers.iter().map(|crossover| {
        let rows: Vec<_> = crossover.break_even.iter().map(row).collect();
        let caption = format!(
            "Monthly price of the capacity for one order per second above which a queue pays for itself ({} \
             against {})",
            crossover.queued.name, crossover.direct.name
        );
        table(&caption, &["peak over mean", "price"], &rows)
    });
    origin(pricing) + &tables.collect::<String>()
}

fn row(point: &CapacityBreakEven) -> Vec<String> {
    let price = point.usd_per_month_per_order_per_second;
    vec![times(point.peak_to_mean), price.map_or_else(|| "always or never".to_owned(), usd)]
}

fn origin(pricing: &Pricing) -> String {
    let (region, day) = (escape(&pricing.region), escape(&pricing.as_of));
    let sources: Vec<_> = pricing.sources.iter().map(|source| link(source)).collect();
    let left_out = escape(&pricing.left_out.join(", "));
    format!(
        "<p>Prices of {region}, as of {day}. Not counted: {left_out}.</p>\n<p>Sources: {}.</p>\n",
        sources.join(", ")
    )
}

/// A link if it is an https URL, else text.
fn link(source: &str) -> String {
    let shown = escape(source);
    if source.starts_with("https://") { format!("<a href=\"{shown}\" rel=\"noreferrer\">{shown}</a>") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{PriceTable, price};
    use crate::{model::Refused, sample};

    #[test]
    fn shows_sources_and_break_even_prices() {
        let mut report = sample::report();
        assert_eq!(prices(&report), "");
        report.lanes[0].counts.refused = Refused::default();
        price(&mut report, &PriceTable::embedded());

        let prices = prices(&report);

        for part in
            ["Prices of us-east-1", "Not counted: the functions that run once per token", "peak over mean", "10×"]
        {
            assert!(prices.contains(part), "{part}: {prices}");
        }
    }

    #[test]
    fn only_https_urls_are_links() {
        assert_eq!(link("javascript:alert(1)"), "javascript:alert(1)");
        assert_eq!(link("https://a/?\"x"), "<a href=\"https://a/?&quot;x\" rel=\"noreferrer\">https://a/?&quot;x</a>");
    }
}
