//! Settings of a deployed stack, as AWS's API has them.

use anyhow::{Context, bail};
use aws_sdk_dynamodb::types::{BillingMode, OnDemandThroughput, ProvisionedThroughput, TableDescription, TableStatus};
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Environment, LastUpdateStatus, ScalingConfig},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use twolane_client::aws;

/// Longest that a change is waited for, which AWS makes some time after it answers: seconds, and minutes for a table.
/// Source: AWS Lambda API Reference, `UpdateEventSourceMapping` and `UpdateFunctionConfiguration`; Amazon DynamoDB API
/// Reference, `UpdateTable`.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(10);
/// Between two looks at it.
const SETTLE_INTERVAL: Duration = Duration::from_millis(250);

/// What DynamoDB calls no limit. Source: Amazon DynamoDB API Reference, `OnDemandThroughput`.
const NO_LIMIT: i64 = -1;

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
            bail!("{function} has {} event sources, not one", answer.event_source_mappings().len());
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
        let capacity = if on_demand {
            let most = described.on_demand_throughput().and_then(OnDemandThroughput::max_write_request_units);
            Capacity::OnDemand { writes: most.filter(|units| *units != NO_LIMIT) }
        } else {
            let throughput = described.provisioned_throughput();
            let units =
                throughput.and_then(|units| Some((units.write_capacity_units()?, units.read_capacity_units()?)));
            let (writes, reads) =
                units.with_context(|| format!("AWS does not say what {table} is provisioned with"))?;
            Capacity::Provisioned { writes, reads }
        };
        Ok(Setting::TableCapacity { table: table.into(), capacity })
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

    /// The setting as it is now, of what that one is of.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn current(&self, setting: &Setting) -> anyhow::Result<Setting> {
        match setting {
            Setting::ReservedConcurrency { function, .. } => self.reserved_concurrency(function).await,
            Setting::EventSource { function, .. } => self.event_source(function).await,
            Setting::Variable { function, name, .. } => self.variable(function, name).await,
            Setting::TableCapacity { table, .. } => self.table_capacity(table).await,
        }
    }

    /// Makes the setting so, and waits until it is. What is so already is left alone.
    ///
    /// # Errors
    /// What AWS says; it is not so after minutes.
    pub(crate) async fn apply(&self, setting: &Setting) -> anyhow::Result<()> {
        self.apply_unless(setting, std::future::pending()).await
    }

    /// The same, but for the wait where it is `interrupted`: others may be changing it back by then.
    ///
    /// # Errors
    /// What AWS says; it is not so after minutes.
    pub(crate) async fn apply_unless(
        &self,
        setting: &Setting,
        interrupted: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let applied = async {
            // What was asked for is waited for: dropped on its way, it might come after what changes it back.
            self.change(setting).await?;
            tokio::select! {
                settled = self.settled(setting) => settled,
                () = interrupted => Ok(()),
            }
        };
        applied.await.with_context(|| format!("Failed to change the stack to {setting}"))
    }

    /// Asks AWS for the change, unless it is so already.
    async fn change(&self, setting: &Setting) -> anyhow::Result<()> {
        until(async || match self.unsettled(setting).await? {
            Some(state) => Ok(Err(state)),
            None if self.current(setting).await? == *setting || self.request(setting).await? => Ok(Ok(())),
            None => Ok(Err("AWS is making another change".to_owned())),
        })
        .await
    }

    /// Waits until it is so.
    async fn settled(&self, setting: &Setting) -> anyhow::Result<()> {
        until(async || {
            if let Some(state) = self.unsettled(setting).await? {
                return Ok(Err(state));
            }
            let current = self.current(setting).await?;
            Ok(if current == *setting { Ok(()) } else { Err(format!("it is still {current}")) })
        })
        .await
    }

    /// What state it is in while AWS still makes an earlier change.
    async fn unsettled(&self, setting: &Setting) -> anyhow::Result<Option<String>> {
        Ok(match setting {
            Setting::ReservedConcurrency { .. } => None,
            Setting::EventSource { id, .. } => {
                let source = self.lambda.get_event_source_mapping().uuid(id).send().await;
                let state = source.map_err(|error| aws::describe(&error))?.state.unwrap_or_default();
                (!["Enabled", "Disabled"].contains(&state.as_str())).then(|| format!("the event source is {state}"))
            }
            Setting::Variable { function, .. } => {
                let answer = self.lambda.get_function_configuration().function_name(function).send().await;
                match answer.map_err(|error| aws::describe(&error))?.last_update_status {
                    Some(LastUpdateStatus::InProgress) => Some(format!("the update of {function} is not done")),
                    Some(LastUpdateStatus::Failed) => bail!("the update of {function} failed"),
                    _ => None,
                }
            }
            Setting::TableCapacity { table, .. } => {
                let status = self.describe_table(table).await?.table_status;
                let status = status.as_ref().map_or("of no status", TableStatus::as_str);
                (status != "ACTIVE").then(|| format!("the table {table} is {status}"))
            }
        })
    }

    /// Asks AWS for the change; whether it took the request. It does not while it makes another one.
    async fn request(&self, setting: &Setting) -> anyhow::Result<bool> {
        match setting {
            Setting::ReservedConcurrency { function, value: Some(value) } => {
                let request = self.lambda.put_function_concurrency().function_name(function);
                taken(request.reserved_concurrent_executions(*value).send().await)
            }
            Setting::ReservedConcurrency { function, value: None } => {
                taken(self.lambda.delete_function_concurrency().function_name(function).send().await)
            }
            Setting::EventSource { id, maximum_concurrency, batch_size, enabled, .. } => {
                // An empty configuration takes the limit away.
                let scaling = ScalingConfig::builder().set_maximum_concurrency(*maximum_concurrency).build();
                let request = self.lambda.update_event_source_mapping().uuid(id).scaling_config(scaling);
                taken(request.batch_size(*batch_size).enabled(*enabled).send().await)
            }
            Setting::Variable { function, name, value } => {
                let mut variables = self.environment(function).await?;
                match value {
                    Some(value) => variables.insert(name.clone(), value.clone()),
                    None => variables.remove(name),
                };
                let environment = Environment::builder().set_variables(Some(variables)).build();
                let request = self.lambda.update_function_configuration().function_name(function);
                taken(request.environment(environment).send().await)
            }
            Setting::TableCapacity { table, capacity } => {
                let request = self.dynamodb.update_table().table_name(table);
                let request = match *capacity {
                    Capacity::OnDemand { writes } => request.on_demand_throughput(
                        OnDemandThroughput::builder().max_write_request_units(writes.unwrap_or(NO_LIMIT)).build(),
                    ),
                    Capacity::Provisioned { writes, reads } => {
                        let units = ProvisionedThroughput::builder();
                        let units = units.write_capacity_units(writes).read_capacity_units(reads);
                        request.provisioned_throughput(units.build()?)
                    }
                };
                taken(request.send().await)
            }
        }
    }

    async fn describe_table(&self, table: &str) -> anyhow::Result<TableDescription> {
        let answer = self.dynamodb.describe_table().table_name(table).send().await;
        answer.map_err(|error| aws::describe(&error))?.table.context("AWS describes no table")
    }

    async fn environment(&self, function: &str) -> anyhow::Result<HashMap<String, String>> {
        let answer = self.lambda.get_function_configuration().function_name(function).send().await;
        let answer = answer.map_err(|error| aws::describe(&error));
        let answer = answer.with_context(|| format!("Failed to read the configuration of {function}"))?;
        Ok(answer.environment().and_then(|environment| environment.variables().cloned()).unwrap_or_default())
    }
}

/// Looks until it is so, or for too long; the inner error says how it is instead.
async fn until(look: impl AsyncFn() -> anyhow::Result<Result<(), String>>) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        match look().await? {
            Ok(()) => return Ok(()),
            Err(instead) if Instant::now() >= deadline => bail!("{instead} after {} s", SETTLE_TIMEOUT.as_secs()),
            Err(_) => sleep(SETTLE_INTERVAL).await,
        }
    }
}

/// Whether AWS took a request; not while another change is under way.
/// Source: AWS Lambda and Amazon DynamoDB API References, errors of the actions above.
fn taken<T, E>(answer: Result<T, SdkError<E>>) -> anyhow::Result<bool>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if matches!(aws::code(&error), Some("ResourceInUseException" | "ResourceConflictException")) => {
            Ok(false)
        }
        Err(error) => Err(aws::describe(&error)),
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
