//! The settings of a plan: parameters of the stack, limits of AWS, and assumptions. Each is one row of [`SETTINGS`].

use anyhow::{Context, bail};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::ops::{Index, IndexMut};

/// A setting's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SettingSource {
    /// A parameter of `template.yaml`.
    Parameter,
    /// To edit in `template.yaml`.
    Template,
    /// Not set in `template.yaml`; 0 means not set.
    Unset,
    /// A limit of the account, from the table.
    Quota,
    /// A guess about the load or AWS, to replace with a measurement.
    Assumption,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// As in `template.yaml` if defined there.
    pub name: &'static str,
    /// Where it comes from.
    pub source: SettingSource,
    /// Meaning, with its unit.
    pub what: &'static str,
    /// Limits take theirs from the table.
    default: f64,
    least: f64,
    most: f64,
}

macro_rules! settings {
    ($($name:ident $source:ident $default:literal in $least:literal..$most:literal $what:literal;)*) => {
        /// Names a row of [`SETTINGS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is documented in its row")]
        pub enum Key { $($name),* }

        /// In the order of display.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            source: SettingSource::$source,
            what: $what,
            default: $default,
            least: $least,
            most: $most,
        }),*];
    };
}

settings! {
    ApiRateLimit Parameter 1000.0 in 1.0..1e9 "Requests a second that each method of the API accepts";
    ApiBurstLimit Parameter 1000.0 in 1.0..1e9 "Requests that each method accepts at once";
    SyncRateLimit Parameter 500.0 in 1.0..1e9 "Orders a second that the sync lane accepts";
    SyncBurstLimit Parameter 500.0 in 1.0..1e9 "Orders that the sync lane accepts at once";
    MaximumConcurrency Parameter 10.0 in 2.0..1000.0 "Concurrent invocations for each queue";
    OrderDeadlineSeconds Parameter 900.0 in 1.0..900.0 "Seconds until an order that lacks a vote is cancelled";
    ShipmentsPerDay Parameter 100_000.0 in 1.0..1e9 "Orders that can ship on one day";
    ShipmentHorizonDays Parameter 14.0 in 1.0..60.0 "Days ahead that an order can book";
    BatchSize Template 10.0 in 1.0..10_000.0 "Maximum number of messages in a batch";
    MemorySize Template 256.0 in 128.0..10_240.0 "Memory of each function, in MB";
    MaxReceiveCount Template 5.0 in 1.0..10.0 "Deliveries of a message before it moves to the dead-letter queue";
    BackoffBaseSeconds Template 60.0 in 1.0..43_200.0 "Maximum back-off before the second delivery, in seconds; it doubles each time";
    BackoffCapSeconds Template 900.0 in 1.0..43_200.0 "Maximum back-off before any delivery, in seconds";
    MaximumBatchingWindowInSeconds Unset 0.0 in 0.0..300.0 "Maximum seconds that a batch waits to fill";
    ReservedConcurrentExecutions Unset 0.0 in 0.0..1e6 "Concurrent invocations of the function that answers requests";
    ProvisionedPollers Unset 0.0 in 0.0..2000.0 "Pollers of each queue in provisioned mode, minimum and maximum, instead of MaximumConcurrency";
    WarmWriteUnits Unset 0.0 in 0.0..1e9 "Warm throughput of each table, in write units a second";
    ProvisionedWriteUnits Unset 0.0 in 0.0..1e9 "Provisioned capacity of each table, in write units a second; 0 is on demand";
    ApiRequestsPerSecond Quota 0.0 in 1.0..1e9 "Requests and callbacks a second of all APIs of the account";
    ApiBurst Quota 0.0 in 1.0..1e9 "Requests and callbacks at once of all APIs of the account";
    WebSocketConnectionsPerSecond Quota 0.0 in 1.0..1e9 "New sockets a second";
    LambdaConcurrency Quota 0.0 in 1.0..1e9 "Concurrent invocations of all functions of the account";
    LambdaScalingPerTenSeconds Quota 0.0 in 1.0..1e9 "Execution environments that each function may add in ten seconds";
    RequestsPerEnvironment Quota 0.0 in 1.0..1e9 "Invocations a second of one execution environment";
    BatchesAtFirst Quota 0.0 in 1.0..1e6 "Concurrent batches of a queue when messages begin to arrive";
    BatchesAddedPerMinute Quota 0.0 in 1.0..1e6 "Concurrent batches that a queue may add in a minute";
    BatchesAtMost Quota 0.0 in 1.0..1e6 "Maximum number of concurrent batches of a queue";
    BatchesPerProvisionedPoller Quota 0.0 in 1.0..1e6 "Concurrent batches of one poller in provisioned mode";
    InFlightMessages Quota 0.0 in 1.0..1e9 "Messages of a queue that are received and not yet deleted";
    NewTableWriteUnits Quota 0.0 in 1.0..1e9 "Write units a second of a new table on demand";
    TableWriteUnits Quota 0.0 in 1.0..1e9 "Write units a second of any table";
    ItemWriteUnits Quota 0.0 in 1.0..1e9 "Write units a second of one item";
    SnsPublishesPerSecond Quota 0.0 in 1.0..1e9 "Messages published a second by the account";
    DatabaseMs Assumption 5.0 in 0.0..60_000.0 "One request to DynamoDB, in milliseconds (AWS: single-digit)";
    PublishMs Assumption 15.0 in 0.0..60_000.0 "One publish to SNS, in milliseconds";
    CallbackMs Assumption 15.0 in 0.0..60_000.0 "One callback to a socket, in milliseconds";
    OverheadMs Assumption 2.0 in 0.0..60_000.0 "Overhead of Lambda and the function in an invocation, in milliseconds";
    DeliveryMs Assumption 20.0 in 0.0..60_000.0 "From a sent or published message to the start of its batch, in milliseconds";
    SkusPerOrder Assumption 1.0 in 1.0..99.0 "Different SKUs in an order";
    OrderKilobytes Assumption 1.0 in 1.0..400.0 "Size of a stored order; each started KB is a write unit";
    HottestSkuPercent Assumption 1.0 in 0.0..100.0 "Orders with the most popular SKU, in per cent";
    HottestOwnerPercent Assumption 1.0 in 0.0..100.0 "Orders of the owner with the most orders, in per cent";
    CountersPerItem Assumption 1.0 in 1.0..1e6 "Items that share the counter of a SKU or an account; the code uses 1. A day has up to 8";
    OrdersPerSocket Assumption 1.0 in 1.0..1e9 "Orders placed for each socket that a client opens";
    SocketMinutes Assumption 1.0 in 1.0..120.0 "Minutes that a socket stays open";
    PollSeconds Assumption 1.0 in 0.1..3600.0 "Seconds between two polls of a client";
}

/// A value for each setting.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSettings(Vec<f64>);

impl PlanSettings {
    /// The template's values, the assumptions, and what `limit` returns by name.
    pub(crate) fn with_limits(limit: impl Fn(&str) -> Option<f64>) -> Self {
        Self(SETTINGS.iter().map(|setting| limit(setting.name).unwrap_or(setting.default)).collect())
    }

    /// Sets a value by name.
    ///
    /// # Errors
    /// No setting has the name, or the value is out of its range.
    pub fn set(&mut self, name: &str, value: f64) -> anyhow::Result<()> {
        let index = SETTINGS.iter().position(|setting| setting.name == name);
        let index = index.with_context(|| format!("unknown setting {name}; `twolane plan --settings` lists all"))?;
        let setting = &SETTINGS[index];
        if !(setting.least..=setting.most).contains(&value) {
            bail!("{name} must be from {} to {}, not {value}", setting.least, setting.most);
        }
        self.0[index] = value;
        Ok(())
    }

    /// Each setting with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, f64)> {
        SETTINGS.iter().zip(self.0.iter().copied())
    }
}

impl Key {
    /// Its row in [`SETTINGS`].
    #[must_use]
    pub fn setting(self) -> &'static Setting {
        &SETTINGS[self as usize]
    }

    pub(crate) fn highest(self) -> f64 {
        self.setting().most
    }
}

impl Index<Key> for PlanSettings {
    type Output = f64;

    fn index(&self, key: Key) -> &f64 {
        &self.0[key as usize]
    }
}

impl IndexMut<Key> for PlanSettings {
    fn index_mut(&mut self, key: Key) -> &mut f64 {
        &mut self.0[key as usize]
    }
}

impl Serialize for PlanSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (setting, value) in self.iter() {
            map.serialize_entry(setting.name, &value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");

    /// Numbers with this name in the template, as `Name: 10` or `{Name: '10'}`.
    fn values_in_template(name: &str) -> Vec<f64> {
        let given = TEMPLATE.lines().filter_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(": "));
        given.filter_map(|value| value.trim_matches('\'').parse().ok()).collect()
    }

    fn default_in_template(name: &str) -> Option<f64> {
        let block = TEMPLATE.split_once(&format!("\n  {name}:\n"))?.1;
        let line = block.lines().take_while(|line| line.starts_with("    ")).find(|line| line.contains("Default:"))?;
        line.split_once(':')?.1.trim().parse().ok()
    }

    #[test]
    fn defaults_are_those_of_the_template() {
        for setting in SETTINGS {
            match setting.source {
                SettingSource::Parameter => {
                    assert_eq!(default_in_template(setting.name), Some(setting.default), "{}", setting.name);
                }
                SettingSource::Template => {
                    let values = values_in_template(setting.name);
                    assert!(!values.is_empty(), "{}", setting.name);
                    assert!(
                        values.iter().all(|value| (value - setting.default).abs() < 1e-9),
                        "{}: {values:?}",
                        setting.name
                    );
                }
                SettingSource::Unset => assert!(!TEMPLATE.contains(&format!("{}:", setting.name)), "{}", setting.name),
                SettingSource::Quota | SettingSource::Assumption => {}
            }
        }
    }

    #[test]
    fn sets_a_value_by_name_and_within_its_range() {
        let mut settings = PlanSettings::with_limits(|_| None);

        settings.set("MaximumConcurrency", 50.0).expect("it is in range");

        assert!((settings[Key::MaximumConcurrency] - 50.0).abs() < 1e-9);
        let unknown = settings.set("MaxConcurrency", 50.0).expect_err("unknown");
        assert!(unknown.to_string().contains("unknown setting MaxConcurrency"), "{unknown}");
        let high = settings.set("MaximumConcurrency", 5000.0).expect_err("too high");
        assert_eq!(high.to_string(), "MaximumConcurrency must be from 2 to 1000, not 5000");
        settings.set("DatabaseMs", f64::NAN).expect_err("not a number");
    }
}
