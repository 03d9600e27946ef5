//! Reads and changes settings of a deployed stack with AWS APIs.

use super::setting::{Capacity, StackSetting};
use anyhow::{Context, bail};
use aws_sdk_dynamodb::types::{BillingMode, OnDemandThroughput, ProvisionedThroughput, TableDescription, TableStatus};
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Environment, EventSourceMappingConfiguration, LastUpdateStatus, ScalingConfig},
};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use twolane_client::aws;

/// Longest wait for an asynchronous change: seconds, or minutes for a table. Source: AWS Lambda API Reference,
/// `UpdateEventSourceMapping` and `UpdateFunctionConfiguration`; Amazon DynamoDB API Reference, `UpdateTable`.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(10);
const SETTLE_INTERVAL: Duration = Duration::from_millis(250);

/// DynamoDB's value for no limit. Source: Amazon DynamoDB API Reference, `OnDemandThroughput`.
const NO_LIMIT: i64 = -1;

#[derive(Clone, Debug)]
pub(crate) struct Controls {
    lambda: Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
}

impl Controls {
    pub(crate) fn new(config: &aws_config::SdkConfig) -> Self {
        Self { lambda: Client::new(config), dynamodb: aws_sdk_dynamodb::Client::new(config) }
    }

    /// The reserved concurrency of a function.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn reserved_concurrency(&self, function: &str) -> anyhow::Result<StackSetting> {
        let response = self.lambda.get_function_concurrency().function_name(function).send().await;
        let response = response.map_err(|error| aws::describe(&error));
        let response = response.with_context(|| format!("Failed to read the reserved concurrency of {function}"))?;
        Ok(StackSetting::ReservedConcurrency {
            function: function.into(),
            value: response.reserved_concurrent_executions(),
        })
    }

    /// The event source mappings of a function.
    ///
    /// # Errors
    /// AWS refuses or does not answer, or the function has no event source.
    pub(crate) async fn event_sources(&self, function: &str) -> anyhow::Result<Vec<StackSetting>> {
        let response = self.lambda.list_event_source_mappings().function_name(function).send().await;
        let response = response.map_err(|error| aws::describe(&error));
        let response = response.with_context(|| format!("Failed to read the event sources of {function}"))?;
        if response.event_source_mappings().is_empty() {
            bail!("{function} has no event source");
        }
        let setting = |source: &EventSourceMappingConfiguration| {
            Ok(StackSetting::EventSource {
                function: function.into(),
                id: source.uuid().context("An event source has no id")?.into(),
                maximum_concurrency: source.scaling_config().and_then(ScalingConfig::maximum_concurrency),
                batch_size: source.batch_size().context("An event source has no batch size")?,
                enabled: !matches!(source.state(), Some("Disabled" | "Disabling")),
            })
        };
        response.event_source_mappings().iter().map(setting).collect()
    }

    async fn event_source(&self, function: &str, id: &str) -> anyhow::Result<StackSetting> {
        let sources = self.event_sources(function).await?;
        let is_it =
            |source: &StackSetting| matches!(source, StackSetting::EventSource { id: other, .. } if other == id);
        sources.into_iter().find(is_it).with_context(|| format!("{function} no longer has the event source {id}"))
    }

    /// A variable of a function.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn variable(&self, function: &str, name: &str) -> anyhow::Result<StackSetting> {
        let value = self.environment(function).await?.remove(name);
        Ok(StackSetting::Variable { function: function.into(), name: name.into(), value })
    }

    /// The capacity of a table.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn table_capacity(&self, table: &str) -> anyhow::Result<StackSetting> {
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
                units.with_context(|| format!("AWS did not return the provisioned capacity of {table}"))?;
            Capacity::Provisioned { writes, reads }
        };
        Ok(StackSetting::TableCapacity { table: table.into(), capacity })
    }

    /// The log group of a function.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn log_group(&self, function: &str) -> anyhow::Result<String> {
        let response = self.lambda.get_function_configuration().function_name(function).send().await;
        let response = response.map_err(|error| aws::describe(&error))?;
        let group = response.logging_config().and_then(|logging| logging.log_group());
        Ok(group.map_or_else(|| format!("/aws/lambda/{function}"), ToOwned::to_owned))
    }

    /// The current value of the same setting.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn current(&self, setting: &StackSetting) -> anyhow::Result<StackSetting> {
        match setting {
            StackSetting::ReservedConcurrency { function, .. } => self.reserved_concurrency(function).await,
            StackSetting::EventSource { function, id, .. } => self.event_source(function, id).await,
            StackSetting::Variable { function, name, .. } => self.variable(function, name).await,
            StackSetting::TableCapacity { table, .. } => self.table_capacity(table).await,
        }
    }

    /// Makes the change and waits until it is done.
    ///
    /// # Errors
    /// AWS refuses or does not answer, or the change is not done after ten minutes.
    pub(crate) async fn apply(&self, setting: &StackSetting) -> anyhow::Result<()> {
        self.apply_unless(setting, std::future::pending()).await
    }

    /// As [`Self::apply`], but stops waiting when `interrupted` completes: others may be changing it back by then.
    ///
    /// # Errors
    /// AWS refuses or does not answer, or the change is not done after ten minutes.
    pub(crate) async fn apply_unless(
        &self,
        setting: &StackSetting,
        interrupted: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let applied = async {
            // If dropped, the request could take effect after the change back.
            self.change(setting).await?;
            tokio::select! {
                settled = self.settled(setting) => settled,
                () = interrupted => Ok(()),
            }
        };
        applied.await.with_context(|| format!("Failed to change the stack to {setting}"))
    }

    /// Requests the change, unless it is already so.
    async fn change(&self, setting: &StackSetting) -> anyhow::Result<()> {
        until(async || match self.unsettled(setting).await? {
            Some(state) => Ok(Err(state)),
            None if self.current(setting).await? == *setting || self.request(setting).await? => Ok(Ok(())),
            None => Ok(Err("AWS is making another change".to_owned())),
        })
        .await
    }

    async fn settled(&self, setting: &StackSetting) -> anyhow::Result<()> {
        until(async || {
            if let Some(state) = self.unsettled(setting).await? {
                return Ok(Err(state));
            }
            let current = self.current(setting).await?;
            Ok(if current == *setting { Ok(()) } else { Err(format!("it is still {current}")) })
        })
        .await
    }

    /// The state during an earlier change; `None` without one.
    async fn unsettled(&self, setting: &StackSetting) -> anyhow::Result<Option<String>> {
        Ok(match setting {
            StackSetting::ReservedConcurrency { .. } => None,
            StackSetting::EventSource { id, .. } => {
                let source = self.lambda.get_event_source_mapping().uuid(id).send().await;
                let state = source.map_err(|error| aws::describe(&error))?.state.unwrap_or_default();
                (!["Enabled", "Disabled"].contains(&state.as_str())).then(|| format!("the event source is {state}"))
            }
            StackSetting::Variable { function, .. } => {
                let response = self.lambda.get_function_configuration().function_name(function).send().await;
                match response.map_err(|error| aws::describe(&error))?.last_update_status {
                    Some(LastUpdateStatus::InProgress) => Some(format!("the update of {function} is not done")),
                    Some(LastUpdateStatus::Failed) => bail!("the update of {function} failed"),
                    _ => None,
                }
            }
            StackSetting::TableCapacity { table, .. } => {
                let status = self.describe_table(table).await?.table_status;
                let status = status.as_ref().map_or("of no status", TableStatus::as_str);
                (status != "ACTIVE").then(|| format!("the table {table} is {status}"))
            }
        })
    }

    /// Requests the change. Returns whether AWS accepted it: it does not during another change.
    async fn request(&self, setting: &StackSetting) -> anyhow::Result<bool> {
        match setting {
            StackSetting::ReservedConcurrency { function, value: Some(value) } => {
                let request = self.lambda.put_function_concurrency().function_name(function);
                taken(request.reserved_concurrent_executions(*value).send().await)
            }
            StackSetting::ReservedConcurrency { function, value: None } => {
                taken(self.lambda.delete_function_concurrency().function_name(function).send().await)
            }
            StackSetting::EventSource { id, maximum_concurrency, batch_size, enabled, .. } => {
                // An empty configuration removes the limit.
                let scaling = ScalingConfig::builder().set_maximum_concurrency(*maximum_concurrency).build();
                let request = self.lambda.update_event_source_mapping().uuid(id).scaling_config(scaling);
                taken(request.batch_size(*batch_size).enabled(*enabled).send().await)
            }
            StackSetting::Variable { function, name, value } => {
                let mut variables = self.environment(function).await?;
                match value {
                    Some(value) => variables.insert(name.clone(), value.clone()),
                    None => variables.remove(name),
                };
                let environment = Environment::builder().set_variables(Some(variables)).build();
                let request = self.lambda.update_function_configuration().function_name(function);
                taken(request.environment(environment).send().await)
            }
            StackSetting::TableCapacity { table, capacity } => {
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
        let response = self.dynamodb.describe_table().table_name(table).send().await;
        response.map_err(|error| aws::describe(&error))?.table.context("AWS returned no table")
    }

    async fn environment(&self, function: &str) -> anyhow::Result<HashMap<String, String>> {
        let response = self.lambda.get_function_configuration().function_name(function).send().await;
        let response = response.map_err(|error| aws::describe(&error));
        let response = response.with_context(|| format!("Failed to read the configuration of {function}"))?;
        Ok(response.environment().and_then(|environment| environment.variables().cloned()).unwrap_or_default())
    }
}

/// Checks until `look` succeeds or the timeout has passed. The inner error describes the current state.
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

/// Whether AWS accepted a request: it does not during another change. Source: AWS Lambda and Amazon DynamoDB API
/// References, errors of the actions above.
fn taken<T, E>(response: Result<T, SdkError<E>>) -> anyhow::Result<bool>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match response {
        Ok(_) => Ok(true),
        Err(error) if matches!(aws::code(&error), Some("ResourceInUseException" | "ResourceConflictException")) => {
            Ok(false)
        }
        Err(error) => Err(aws::describe(&error)),
    }
}
