//! Settings of a deployed stack, as AWS's API has them.

use crate::aws;
use anyhow::Context;
use aws_sdk_dynamodb::types::{BillingMode, ProvisionedThroughput, TableDescription};
use aws_sdk_lambda::{
    Client,
    types::{Environment, LastUpdateStatus, ScalingConfig},
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Longest that a change is waited for, which AWS makes some time after it answers.
/// Source: AWS Lambda API Reference, `UpdateEventSourceMapping` and `UpdateFunctionConfiguration`.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(3);
/// Between two looks at it.
const SETTLE_INTERVAL: Duration = Duration::from_millis(250);

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
    /// Capacity that a table is provisioned with; `None` for on-demand.
    TableCapacity { table: String, units: Option<Units> },
}

/// Capacity units of a table, per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Units {
    /// Writes of 1 KB.
    pub(crate) write: i64,
    /// Consistent reads of 4 KB.
    pub(crate) read: i64,
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
            Self::TableCapacity { table, units: Some(Units { write, read }) } => {
                write!(formatter, "{table}: provisioned with {write} write and {read} read units")
            }
            Self::TableCapacity { table, units: None } => write!(formatter, "{table}: on demand"),
        }
    }
}

/// Reads and changes settings.
#[derive(Clone, Debug)]
pub(crate) struct Controls {
    lambda: Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

impl Controls {
    /// With the user's own credentials.
    pub(crate) fn new(config: &aws_config::SdkConfig) -> Self {
        Self { lambda: Client::new(config), dynamodb: aws_sdk_dynamodb::Client::new(config) }
    }

    /// The reserved concurrency of a function.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn reserved_concurrency(&self, function: &str) -> anyhow::Result<Setting> {
        let answer = self.lambda.get_function_concurrency().function_name(function).send().await;
        let answer = answer.map_err(|error| aws::describe(&error));
        let answer = answer.with_context(|| format!("Failed to read the reserved concurrency of {function}"))?;
        Ok(Setting::ReservedConcurrency { function: function.into(), value: answer.reserved_concurrent_executions() })
    }

    /// How the one queue of a function invokes it.
    ///
    /// # Errors
    /// What AWS says; it has not exactly one event source.
    pub(crate) async fn event_source(&self, function: &str) -> anyhow::Result<Setting> {
        let answer = self.lambda.list_event_source_mappings().function_name(function).send().await;
        let answer = answer.map_err(|error| aws::describe(&error));
        let answer = answer.with_context(|| format!("Failed to read the event sources of {function}"))?;
        let [source] = answer.event_source_mappings() else {
            anyhow::bail!("{function} has {} event sources, not one", answer.event_source_mappings().len());
        };
        Ok(Setting::EventSource {
            function: function.into(),
            id: source.uuid().context("An event source has no id")?.into(),
            maximum_concurrency: source.scaling_config().and_then(ScalingConfig::maximum_concurrency),
            batch_size: source.batch_size().context("An event source has no batch size")?,
            enabled: !matches!(source.state(), Some("Disabled" | "Disabling")),
        })
    }

    /// A variable of a function.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn variable(&self, function: &str, name: &str) -> anyhow::Result<Setting> {
        let value = self.environment(function).await?.remove(name);
        Ok(Setting::Variable { function: function.into(), name: name.into(), value })
    }

    /// The capacity of a table.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn table_capacity(&self, table: &str) -> anyhow::Result<Setting> {
        let described = self.describe_table(table).await.with_context(|| format!("Failed to describe {table}"))?;
        let on_demand = described
            .billing_mode_summary()
            .is_some_and(|summary| summary.billing_mode() == Some(&BillingMode::PayPerRequest));
        let provisioned = described.provisioned_throughput().filter(|_| !on_demand);
        let units = provisioned.and_then(|throughput| {
            Some(Units { write: throughput.write_capacity_units()?, read: throughput.read_capacity_units()? })
        });
        Ok(Setting::TableCapacity { table: table.into(), units })
    }

    /// The log group of a function.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn log_group(&self, function: &str) -> anyhow::Result<String> {
        let answer = self.lambda.get_function_configuration().function_name(function).send().await;
        let answer = answer.map_err(|error| aws::describe(&error))?;
        let group = answer.logging_config().and_then(|logging| logging.log_group());
        Ok(group.map_or_else(|| format!("/aws/lambda/{function}"), ToOwned::to_owned))
    }

    /// Makes the setting so, and waits until it is.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn apply(&self, setting: &Setting) -> anyhow::Result<()> {
        let applied = match setting {
            Setting::ReservedConcurrency { function, value: Some(value) } => {
                let request = self.lambda.put_function_concurrency().function_name(function);
                let answer = request.reserved_concurrent_executions(*value).send().await;
                answer.map(drop).map_err(|error| aws::describe(&error))
            }
            Setting::ReservedConcurrency { function, value: None } => {
                let answer = self.lambda.delete_function_concurrency().function_name(function).send().await;
                answer.map(drop).map_err(|error| aws::describe(&error))
            }
            Setting::EventSource { id, maximum_concurrency, batch_size, enabled, .. } => {
                self.set_event_source(id, *maximum_concurrency, *batch_size, *enabled).await
            }
            Setting::Variable { function, name, value } => self.set_variable(function, name, value.clone()).await,
            Setting::TableCapacity { table, units } => self.set_table_capacity(table, *units).await,
        };
        applied.with_context(|| format!("Failed to change the stack to {setting}"))
    }

    async fn set_event_source(
        &self,
        id: &str,
        maximum_concurrency: Option<i32>,
        batch_size: i32,
        enabled: bool,
    ) -> anyhow::Result<()> {
        // An empty configuration takes the limit away.
        let scaling = ScalingConfig::builder().set_maximum_concurrency(maximum_concurrency).build();
        let request = self.lambda.update_event_source_mapping().uuid(id).scaling_config(scaling).batch_size(batch_size);
        request.enabled(enabled).send().await.map_err(|error| aws::describe(&error))?;
        let wanted = if enabled { "Enabled" } else { "Disabled" };
        settled(async || {
            let source = self.lambda.get_event_source_mapping().uuid(id).send().await;
            let source = source.map_err(|error| aws::describe(&error))?;
            let state = source.state().unwrap_or_default().to_owned();
            Ok(if state == wanted { Ok(()) } else { Err(format!("the event source is {state}, not {wanted}")) })
        })
        .await
    }

    async fn describe_table(&self, table: &str) -> anyhow::Result<TableDescription> {
        let answer = self.dynamodb.describe_table().table_name(table).send().await;
        answer.map_err(|error| aws::describe(&error))?.table.context("AWS describes no table")
    }

    async fn set_table_capacity(&self, table: &str, units: Option<Units>) -> anyhow::Result<()> {
        let request = self.dynamodb.update_table().table_name(table);
        let request = match units {
            None => request.billing_mode(BillingMode::PayPerRequest),
            Some(Units { write, read }) => {
                let throughput = ProvisionedThroughput::builder().write_capacity_units(write).read_capacity_units(read);
                request.billing_mode(BillingMode::Provisioned).provisioned_throughput(throughput.build()?)
            }
        };
        request.send().await.map_err(|error| aws::describe(&error))?;
        settled(async || {
            let described = self.describe_table(table).await?;
            let status = described.table_status().map_or("unknown", |status| status.as_str()).to_owned();
            Ok(if status == "ACTIVE" { Ok(()) } else { Err(format!("the table {table} is {status}")) })
        })
        .await
    }

    async fn environment(&self, function: &str) -> anyhow::Result<std::collections::HashMap<String, String>> {
        let answer = self.lambda.get_function_configuration().function_name(function).send().await;
        let answer = answer.map_err(|error| aws::describe(&error));
        let answer = answer.with_context(|| format!("Failed to read the configuration of {function}"))?;
        Ok(answer.environment().and_then(|environment| environment.variables().cloned()).unwrap_or_default())
    }

    async fn set_variable(&self, function: &str, name: &str, value: Option<String>) -> anyhow::Result<()> {
        let mut variables = self.environment(function).await?;
        match value {
            Some(value) => variables.insert(name.to_owned(), value),
            None => variables.remove(name),
        };
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let request = self.lambda.update_function_configuration().function_name(function).environment(environment);
        request.send().await.map_err(|error| aws::describe(&error))?;
        settled(async || {
            let answer = self.lambda.get_function_configuration().function_name(function).send().await;
            let answer = answer.map_err(|error| aws::describe(&error))?;
            Ok(match answer.last_update_status() {
                Some(LastUpdateStatus::InProgress) => Err(format!("the update of {function} is not done")),
                Some(LastUpdateStatus::Failed) => anyhow::bail!("the update of {function} failed"),
                _ => Ok(()),
            })
        })
        .await
    }
}

/// Looks until it is so, or for too long; the inner error says how it is instead.
async fn settled(look: impl AsyncFn() -> anyhow::Result<Result<(), String>>) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        match look().await? {
            Ok(()) => return Ok(()),
            Err(instead) if Instant::now() >= deadline => {
                anyhow::bail!("{instead} after {} s", SETTLE_TIMEOUT.as_secs())
            }
            Err(_) => sleep(SETTLE_INTERVAL).await,
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
