//! AWS's limits: a dated TOML file for one Region, with the source of each figure.

use crate::settings::{PlanSettings, SETTINGS, SettingSource};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const US_EAST_1: &str = include_str!("../limits/us-east-1.toml");

/// One account's limits in one Region, as AWS documents them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct LimitTable {
    /// The Region, such as `us-east-1`.
    pub region: String,
    /// Date of reading the pages: `YYYY-MM-DD`.
    pub as_of: String,
    /// By name of the setting.
    #[serde(flatten)]
    pub limits: BTreeMap<String, Limit>,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// In the unit of its setting.
    pub value: f64,
    /// Whether AWS raises it on request.
    pub adjustable: bool,
    /// Title of AWS's page.
    pub page: String,
    /// The page's address.
    pub url: String,
    /// How certain the figure is, if the page leaves doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl LimitTable {
    /// The table for us-east-1.
    ///
    /// # Panics
    /// Never: a test reads the table.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(US_EAST_1).expect("a test reads the embedded table")
    }

    /// Parses a table.
    ///
    /// # Errors
    /// The text is not TOML, a limit is missing, unknown or not a positive number, or a date or an address is missing.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let table: Self = toml::from_str(text).context("Failed to understand the limits")?;
        let wanted = SETTINGS.iter().filter(|setting| setting.source == SettingSource::Quota);
        let wanted: Vec<_> = wanted.map(|setting| setting.name).collect();
        if let Some(missing) = wanted.iter().find(|name| !table.limits.contains_key(**name)) {
            bail!("the limit {missing} is missing");
        }
        for (name, limit) in &table.limits {
            if !wanted.contains(&name.as_str()) {
                bail!("unknown limit {name}; known limits: {}", wanted.join(", "));
            }
            if !limit.value.is_finite() || limit.value <= 0.0 {
                bail!("the limit {name} must be more than 0, not {}", limit.value);
            }
            if !limit.url.starts_with("https://") {
                bail!("the limit {name} has no https:// page as its source");
            }
        }
        Ok(table)
    }
}

impl PlanSettings {
    /// The template's values, the table's limits, and the assumptions.
    #[must_use]
    pub fn new(limits: &LimitTable) -> Self {
        Self::with_limits(|name| limits.limits.get(name).map(|limit| limit.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_names_a_page_of_aws_for_each_limit() {
        let table = LimitTable::embedded();

        assert_eq!(table.region, "us-east-1");
        assert!(table.limits.values().all(|limit| limit.url.starts_with("https://docs.aws.amazon.com/")));
    }

    #[test]
    fn rejects_invalid_tables() {
        let broken = [
            ("[ApiBurst]", "[ApiBurts]", "the limit ApiBurst is missing"),
            ("value = 500\n", "value = -5\n", "must be more than 0, not -5"),
            ("url = \"https", "url = \"ftp", "has no https:// page"),
            ("as_of = \"2026-11-30\"", "", "as_of"),
            (
                "[ApiBurst]",
                "[Typo]\nvalue=1\nadjustable=true\npage=\"\"\nurl=\"https://\"\n[ApiBurst]",
                "unknown limit Typo",
            ),
        ];
        for (right, wrong, why) in broken {
            let error = LimitTable::parse(&US_EAST_1.replacen(right, wrong, 1)).expect_err(wrong);

            assert!(format!("{error:#}").contains(why), "{wrong}: {error:#}");
        }
    }
}
