//! Settings of a deployed stack, as in AWS's APIs.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum StackSetting {
    /// Maximum concurrent invocations, 0 for none; `None` for the account's limit.
    ReservedConcurrency { function: String, value: Option<i32> },
    /// How a queue invokes a function.
    EventSource {
        function: String,
        /// AWS's id.
        id: String,
        /// Maximum concurrent invocations, at least 2; `None` for the function's limit.
        maximum_concurrency: Option<i32>,
        /// Maximum messages per invocation.
        batch_size: i32,
        enabled: bool,
    },
    /// An environment variable of a function; `None` if not set.
    Variable { function: String, name: String, value: Option<String> },
    /// The mode stays: switching back to on-demand is allowed four times a day. Source: Amazon DynamoDB Developer
    /// Guide, "Considerations when switching capacity modes".
    TableCapacity { table: String, capacity: Capacity },
}

/// Capacity units of a table, per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "camelCase")]
pub(crate) enum Capacity {
    /// Paid by request.
    OnDemand {
        /// Maximum writes of 1 KB; `None` for no limit.
        writes: Option<i64>,
    },
    /// Paid by the hour.
    Provisioned {
        /// Writes of 1 KB.
        writes: i64,
        /// Consistent reads of 4 KB.
        reads: i64,
    },
}

impl Capacity {
    pub(crate) fn with_writes(self, writes: i64) -> Self {
        match self {
            Self::OnDemand { .. } => Self::OnDemand { writes: Some(writes) },
            Self::Provisioned { reads, .. } => Self::Provisioned { writes, reads },
        }
    }
}

impl fmt::Display for StackSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedConcurrency { function, value: Some(value) } => {
                write!(formatter, "{function}: reserved concurrency {value}")
            }
            Self::ReservedConcurrency { function, value: None } => {
                write!(formatter, "{function}: no reserved concurrency")
            }
            Self::EventSource { function, enabled: false, .. } => {
                write!(formatter, "{function}: event source disabled")
            }
            Self::EventSource { function, maximum_concurrency, batch_size, .. } => {
                write!(formatter, "{function}: event source with batch size {batch_size}, ")?;
                match maximum_concurrency {
                    Some(value) => write!(formatter, "maximum concurrency {value}"),
                    None => formatter.write_str("no maximum concurrency"),
                }
            }
            Self::Variable { function, name, value: Some(value) } => {
                write!(formatter, "{function}: variable {name}={value}")
            }
            Self::Variable { function, name, value: None } => write!(formatter, "{function}: no variable {name}"),
            Self::TableCapacity { table, capacity: Capacity::Provisioned { writes, reads } } => {
                write!(formatter, "{table}: provisioned, {writes} write and {reads} read units")
            }
            Self::TableCapacity { table, capacity: Capacity::OnDemand { writes: Some(writes) } } => {
                write!(formatter, "{table}: on demand, at most {writes} write units per second")
            }
            Self::TableCapacity { table, capacity: Capacity::OnDemand { writes: None } } => {
                write!(formatter, "{table}: on demand")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_the_setting_and_its_function() {
        let function = "F".to_owned();
        let limited = StackSetting::ReservedConcurrency { function: function.clone(), value: Some(5) };
        let source = |maximum_concurrency, enabled| StackSetting::EventSource {
            function: function.clone(),
            id: "id".into(),
            maximum_concurrency,
            batch_size: 10,
            enabled,
        };

        assert_eq!(limited.to_string(), "F: reserved concurrency 5");
        assert_eq!(source(Some(5), true).to_string(), "F: event source with batch size 10, maximum concurrency 5");
        assert_eq!(source(None, false).to_string(), "F: event source disabled");
    }
}
