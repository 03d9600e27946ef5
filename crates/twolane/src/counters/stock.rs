//! `twolane stock`: the units that orders of the bus lane may take.

use super::args::{CommonArgs, StockArgs, StockCommand};
use super::{Shown, or_dash, stock_file};
use serde::Serialize;
use std::process::ExitCode;
use twolane_client::counters::{Counter, Counters};

/// Every field is always present.
#[derive(Serialize)]
struct StockLevel<'a> {
    sku: &'a str,
    /// Before `set` or `load`; `null` without a number, and for other commands.
    was: Option<u64>,
    /// For new orders; `null` without a number.
    available: Option<u64>,
}

/// An error means that nothing was set.
pub(crate) async fn run(args: StockArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        StockCommand::Show { skus, common } => show(&skus, &common).await,
        StockCommand::Add { sku, units, common } => add(&sku, units, &common).await,
        StockCommand::Set { sku, units, common } => set(vec![Counter { key: sku, available: units }], &common).await,
        StockCommand::Load { file, common } => set(stock_file::read(&file)?, &common).await,
    }
}

async fn show(skus: &[String], common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let stock = Counters::find_stock(&common.stack.address()).await?;
    let numbers = stock.read(skus).await?;
    let levels = skus.iter().map(|sku| StockLevel { sku, was: None, available: numbers.get(sku).copied() });
    shown(&levels.collect::<Vec<_>>(), false).write(common.json)
}

async fn add(sku: &str, units: i64, common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let stock = Counters::find_stock(&common.stack.address()).await?;
    let available = Some(stock.add(sku, units).await?);
    let file = if common.json { "stock.jsonl" } else { "stock.txt" };
    shown(&[StockLevel { sku, was: None, available }], false).write_changes(common.json, None, file)
}

async fn set(counters: Vec<Counter>, common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let stock = Counters::find_stock(&common.stack.address()).await?;
    let changes = stock.set_all(counters).await;
    let done = changes.done.iter();
    let levels =
        done.map(|(counter, was)| StockLevel { sku: &counter.key, was: *was, available: Some(counter.available) });
    let file = if common.json { "stock.jsonl" } else { "stock.txt" };
    shown(&levels.collect::<Vec<_>>(), true).write_changes(common.json, changes.error, file)
}

/// Table and JSON. `is_set`: the command is `set` or `load`.
fn shown(levels: &[StockLevel], is_set: bool) -> Shown {
    let text = |number: Option<u64>| or_dash(number.map(|units| units.to_string()));
    let row = |level: &StockLevel| {
        let was = is_set.then(|| text(level.was));
        std::iter::once(level.sku.to_owned()).chain(was).chain([text(level.available)]).collect()
    };
    Shown {
        heading: if is_set { vec!["sku", "was", "available"] } else { vec!["sku", "available"] },
        rows: levels.iter().map(row).collect(),
        json: levels.iter().map(|level| serde_json::to_string(level).expect("a stock level is always JSON")).collect(),
    }
}
