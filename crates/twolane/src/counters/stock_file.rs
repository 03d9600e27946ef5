//! Units of SKUs from a JSON object or CSV.

use anyhow::{Context, bail};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::path::Path;
use twolane_client::counters::{Counter, MAX_AVAILABLE, check_sku};

/// Optional first line of a CSV file.
const HEADER: &str = "sku,units";

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// The file cannot be read, or has an invalid or repeated SKU or an invalid number.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Counter>> {
    let (text, source) = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).context("Failed to read standard input")?;
        (text, "standard input".to_owned())
    } else {
        let source = path.display().to_string();
        (std::fs::read_to_string(path).with_context(|| format!("Failed to read {source}"))?, source)
    };
    parse(&text).with_context(|| format!("Nothing was set: {source} cannot be used"))
}

fn parse(text: &str) -> anyhow::Result<Vec<Counter>> {
    // Windows editors may write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let counters = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Units>(text).context("it is not a JSON object of whole numbers by SKU")?.0
    } else {
        csv(text)?
    };
    let mut seen = HashSet::new();
    for Counter { key, available } in &counters {
        if let Err(rule) = check_sku(key) {
            bail!("{key:?}: {rule}");
        }
        if *available > MAX_AVAILABLE {
            bail!("{key}: the maximum is {MAX_AVAILABLE} units");
        }
        if !seen.insert(key) {
            bail!("{key} occurs twice");
        }
    }
    if counters.is_empty() {
        bail!("it has no SKU");
    }
    Ok(counters)
}

fn csv(text: &str) -> anyhow::Result<Vec<Counter>> {
    let mut counters = Vec::new();
    for (at, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || (at == 0 && line == HEADER) {
            continue;
        }
        let counter = line.split_once(',').and_then(|(sku, units)| {
            Some(Counter { key: sku.trim().to_owned(), available: units.trim().parse().ok()? })
        });
        counters.push(counter.with_context(|| format!("line {} is not a SKU, a comma and whole units", at + 1))?);
    }
    Ok(counters)
}

/// All entries of a JSON object, with repeated keys.
struct Units(Vec<Counter>);

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Units;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Units, A::Error> {
                let mut counters = Vec::new();
                while let Some((key, available)) = entries.next_entry()? {
                    counters.push(Counter { key, available });
                }
                Ok(Units(counters))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(pairs: &[(&str, u64)]) -> Vec<Counter> {
        pairs.iter().map(|(key, available)| Counter { key: (*key).to_owned(), available: *available }).collect()
    }

    #[test]
    fn reads_json_and_csv() {
        let expected = counters(&[("SKU-1", 100), ("SKU-2", 0)]);

        for text in [
            r#"{"SKU-1":100,"SKU-2":0}"#,
            "\u{feff} {\"SKU-1\": 100,\n\"SKU-2\": 0}",
            "SKU-1,100\nSKU-2,0\n",
            "sku,units\r\nSKU-1, 100\r\n\r\nSKU-2,0",
        ] {
            assert_eq!(parse(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn reports_what_is_wrong_with_a_file() {
        for (text, why) in [
            ("", "it has no SKU"),
            ("{}", "it has no SKU"),
            ("SKU-1,1\nSKU-2", "line 2 is not a SKU, a comma and whole units"),
            ("SKU-1,-1", "line 1 is not a SKU, a comma and whole units"),
            ("SKU-1,1\nSKU-1,2", "SKU-1 occurs twice"),
            (r#"{"SKU-1":1,"SKU-1":2}"#, "SKU-1 occurs twice"),
            (r#"{"SKU-1":1.5}"#, "it is not a JSON object of whole numbers by SKU"),
            ("S/1,1", "\"S/1\": a SKU must be 1 to 64 of the characters"),
            ("SKU-1,1000000000000001", "SKU-1: the maximum is 1000000000000000 units"),
        ] {
            let error = format!("{:#}", parse(text).expect_err(text));

            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
