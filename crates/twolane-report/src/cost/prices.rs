//! The price table: TOML for one region, with date and sources.

use crate::files::read_text;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::path::Path;
use time::macros::format_description;

const US_EAST_1: &str = include_str!("../../prices/us-east-1.toml");

/// List prices in one region.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// Such as `us-east-1`.
    pub(crate) region: String,
    /// Day of the prices: `YYYY-MM-DD`.
    pub(crate) as_of: String,
    /// URLs.
    pub(crate) sources: Vec<String>,
    pub(crate) usd: Prices,
}

/// In US dollars.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Requests to a REST API.
    pub rest_requests_per_million: f64,
    /// Requests to an HTTP API.
    pub http_requests_per_million: f64,
    /// In units of 32 KB.
    pub websocket_messages_per_million: f64,
    /// Minutes of open WebSocket connections.
    pub websocket_connection_minutes_per_million: f64,
    /// Invocations.
    pub lambda_requests_per_million: f64,
    /// Billed duration × memory, on the template's processor.
    pub lambda_gb_second: f64,
    /// On `x86_64`.
    pub lambda_gb_second_x86_64: f64,
    /// Standard topic, in units of 64 KB. Deliveries to SQS are free.
    pub sns_requests_per_million: f64,
    /// Standard queue, in units of 64 KB.
    pub sqs_requests_per_million: f64,
    /// Surcharge for a fair queue.
    pub sqs_fair_queue_requests_per_million: f64,
    /// On demand.
    pub dynamodb_write_units_per_million: f64,
    /// On demand.
    pub dynamodb_read_units_per_million: f64,
    /// One provisioned unit for an hour.
    pub dynamodb_write_capacity_unit_hour: f64,
}

impl PriceTable {
    /// The embedded table.
    ///
    /// # Panics
    /// Never: a test reads the table.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(US_EAST_1).expect("a test reads the embedded table")
    }

    /// Reads a user's table.
    ///
    /// # Errors
    /// The file cannot be read; a price is missing, unknown or not valid; or there is no date or source.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = read_text(path).with_context(|| format!("Failed to read the prices in {shown}"))?;
        Self::parse(&text).with_context(|| format!("The prices in {shown} are not valid"))
    }

    /// The prices.
    #[must_use]
    pub fn usd(&self) -> &Prices {
        &self.usd
    }

    /// Such as `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Day of the prices: `YYYY-MM-DD`.
    #[must_use]
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: Self = toml::from_str(text)?;
        if time::Date::parse(&table.as_of, format_description!("[year]-[month]-[day]")).is_err() {
            bail!("as_of must be a day such as 2026-11-24, not {:?}", table.as_of);
        }
        if table.sources.is_empty() {
            bail!("sources is empty: prices without a source cannot be checked");
        }
        table.usd.check()?;
        Ok(table)
    }
}

impl Prices {
    fn check(&self) -> anyhow::Result<()> {
        let all = [
            ("rest_requests_per_million", self.rest_requests_per_million),
            ("http_requests_per_million", self.http_requests_per_million),
            ("websocket_messages_per_million", self.websocket_messages_per_million),
            ("websocket_connection_minutes_per_million", self.websocket_connection_minutes_per_million),
            ("lambda_requests_per_million", self.lambda_requests_per_million),
            ("lambda_gb_second", self.lambda_gb_second),
            ("lambda_gb_second_x86_64", self.lambda_gb_second_x86_64),
            ("sns_requests_per_million", self.sns_requests_per_million),
            ("sqs_requests_per_million", self.sqs_requests_per_million),
            ("sqs_fair_queue_requests_per_million", self.sqs_fair_queue_requests_per_million),
            ("dynamodb_write_units_per_million", self.dynamodb_write_units_per_million),
            ("dynamodb_read_units_per_million", self.dynamodb_read_units_per_million),
            ("dynamodb_write_capacity_unit_hour", self.dynamodb_write_capacity_unit_hour),
        ];
        match all.into_iter().find(|(_, price)| !price.is_finite() || *price < 0.0) {
            Some((name, price)) => bail!("{name} is not a price: {price}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_is_valid_and_has_sources() {
        let table = PriceTable::embedded();

        assert_eq!(table.region, "us-east-1");
        assert!(table.sources.iter().all(|source| source.starts_with("https://aws.amazon.com/")));
    }

    #[test]
    fn refuses_invalid_tables() {
        let broken = [
            ("as_of = \"2026-11-24\"", "as_of = \"lately\"", "as_of must be a day"),
            ("rest_requests_per_million = 3.50", "rest_requests_per_million = -1.0", "is not a price: -1"),
            ("rest_requests_per_million = 3.50", "rest_requests_per_million = nan", "is not a price: NaN"),
            ("rest_requests_per_million = 3.50", "", "missing field"),
            ("region = \"us-east-1\"", "region = \"us-east-1\"\ntypo = 1", "unknown field"),
        ];
        for (right, wrong, why) in broken {
            let error = PriceTable::parse(&US_EAST_1.replacen(right, wrong, 1)).expect_err(wrong);

            assert!(format!("{error:#}").contains(why), "{wrong}: {error:#}");
        }
    }
}
