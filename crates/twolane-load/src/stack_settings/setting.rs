//! Settings of a deployed stack, as AWS's API has them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Setting {
    /// Invocations of a function that run at once at most, 0 for none at all; `None` for the account's limit.
    ReservedConcurrency { function: String, value: Option<i32> },
    /// How a queue invokes a function.
    EventSource {
        function: String,
        /// AWS's id of the event source mapping.
        id: String,
        /// Invocations at once at most, at least 2; `None` for the function's limit.
        maximum_concurrency: Option<i32>,
        /// Messages in one invocation at most.
        batch_size: i32,
        /// Whether it invokes at all.
        enabled: bool,
    },
    /// A variable of a function's environment; `None` where there is none of that name.
    Variable { function: String, name: String, value: Option<String> },
    /// How much a table takes. Its mode stays: going back to on-demand is allowed four times a day.
    /// Source: Amazon DynamoDB Developer Guide, "Considerations when switching capacity modes".
    TableCapacity { table: String, capacity: Capacity },
}

/// Capacity units of a table, per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "camelCase")]
pub(crate) enum Capacity {
    /// Paid by request.
    OnDemand {
        /// Writes of 1 KB at most; `None` for no limit of its own.
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
    /// The same with so many writes.
    pub(crate) fn with_writes(self, writes: i64) -> Self {
        match self {
            Self::OnDemand { .. } => Self::OnDemand { writes: Some(writes) },
            Self::Provisioned { reads, .. } => Self::Provisioned { writes, reads },
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedConcurrency { function, value: Some(value) } => {
                write!(formatter, "{function}: reserved concurrency {value}")
            }
            Self::ReservedConcurrency { function, value: None } => {
                write!(formatter, "{function}: no reserved concurrency")
            }
            Self::EventSource { function, enabled: false, .. } => {
                write!(formatter, "{function}: its queue does not invoke it")
            }
            Self::EventSource { function, maximum_concurrency, batch_size, .. } => {
                write!(formatter, "{function}: its queue invokes it with {batch_size} messages at most, ")?;
                match maximum_concurrency {
                    Some(value) => write!(formatter, "{value} times at once at most"),
                    None => formatter.write_str("as often at once as the function may run"),
                }
            }
            Self::Variable { function, name, value: Some(value) } => {
                write!(formatter, "{function}: variable {name}={value}")
            }
            Self::Variable { function, name, value: None } => write!(formatter, "{function}: no variable {name}"),
            Self::TableCapacity { table, capacity: Capacity::Provisioned { writes, reads } } => {
                write!(formatter, "{table}: provisioned with {writes} write and {reads} read units")
            }
            Self::TableCapacity { table, capacity: Capacity::OnDemand { writes: Some(writes) } } => {
                write!(formatter, "{table}: on demand, {writes} write units per second at most")
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
    fn says_what_it_is_and_whose() {
        let function = "F".to_owned();
        let limited = Setting::ReservedConcurrency { function: function.clone(), value: Some(5) };
        let source = |maximum_concurrency, enabled| Setting::EventSource {
            function: function.clone(),
            id: "id".into(),
            maximum_concurrency,
            batch_size: 10,
            enabled,
        };

        assert_eq!(limited.to_string(), "F: reserved concurrency 5");
        assert_eq!(
            source(Some(5), true).to_string(),
            "F: its queue invokes it with 10 messages at most, 5 times at once at most"
        );
        assert_eq!(source(None, false).to_string(), "F: its queue does not invoke it");
    }
}
