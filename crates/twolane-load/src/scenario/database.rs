//! Scenarios with a slow or a throttled database.

use super::Scenario;
use crate::deployed::Deployed;
use crate::stack_settings::StackSetting;
use anyhow::{Context, bail};
use fault_endpoint::{Allowance, Call, Endpoint, Fault, Memory, Rule, When};
use lanes::Lane;
use std::collections::BTreeSet;
use std::time::Duration;

/// The functions' variable with their database endpoint. Source: AWS SDKs and Tools Reference Guide, "Service-specific
/// endpoints".
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";

impl Scenario {
    pub(super) async fn slow_database(
        &mut self,
        lanes: &[Lane],
        deployed: &Deployed,
        slow_by: Duration,
        is_local: bool,
    ) -> anyhow::Result<()> {
        if !is_local {
            bail!(
                "AWS cannot make DynamoDB slow: slow-db needs a local stack, with functions on this \
                 machine. Try throttled-db"
            );
        }
        self.set("slowByMs", slow_by.as_millis());
        self.stand_between(lanes, deployed, Rule::new(is_write, When::Always, Fault::Slow(slow_by))).await
    }

    /// Limits each table to `writes` writes per second; local tables together.
    pub(super) async fn throttled_database(
        &mut self,
        lanes: &[Lane],
        deployed: &Deployed,
        writes: u32,
        is_local: bool,
    ) -> anyhow::Result<()> {
        self.set("writesPerSecond", writes);
        if is_local {
            // Emulated tables have no limit.
            let over = When::Over(Allowance::per_second(writes));
            return self.stand_between(lanes, deployed, Rule::new(is_write, over, Fault::Throttle)).await;
        }
        let tables: BTreeSet<&str> = lanes.iter().flat_map(|lane| deployed.tables(lane)).collect();
        for table in tables {
            let before = deployed.controls.table_capacity(table).await?;
            if let StackSetting::TableCapacity { capacity, .. } = before {
                let capacity = capacity.with_writes(writes.into());
                self.during.push(StackSetting::TableCapacity { table: table.to_owned(), capacity });
            }
            self.before.push(before);
        }
        Ok(())
    }

    /// Redirects the lanes' functions to an endpoint on this machine, which forwards to the database.
    async fn stand_between(&mut self, lanes: &[Lane], deployed: &Deployed, rule: Rule) -> anyhow::Result<()> {
        let upstream = deployed
            .endpoint_url
            .as_deref()
            .context("Neither AWS_ENDPOINT_URL nor endpoint_url of the AWS profile is set")?;
        let endpoint = Endpoint::start(upstream, Memory::Nothing).await.context("Failed to start a fault endpoint")?;
        endpoint.inject(rule);
        for function in lanes.iter().flat_map(|lane| lane.functions).filter(|function| function.has_table) {
            let function = deployed.function(function.name);
            self.before.push(deployed.controls.variable(function, ENDPOINT_VARIABLE).await?);
            let value = Some(endpoint.url().to_owned());
            let name = ENDPOINT_VARIABLE.to_owned();
            self.during.push(StackSetting::Variable { function: function.to_owned(), name, value });
        }
        self.endpoint = Some(endpoint);
        Ok(())
    }
}

fn is_write(call: &Call) -> bool {
    ["PutItem", "UpdateItem", "TransactWriteItems"].contains(&call.operation.as_str())
}
