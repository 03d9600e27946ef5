//! `twolane account`: the money that orders of the bus lane may take.

use super::args::{AccountArgs, AccountCommand, CommonArgs};
use super::{Shown, or_dash};
use anyhow::{anyhow, ensure};
use serde::Serialize;
use std::process::ExitCode;
use twolane_client::counters::{Counter, Counters, MAX_AVAILABLE, account_key};
use twolane_client::money::Money;

/// Every field is always present.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountBalance<'a> {
    owner: &'a str,
    currency: &'a str,
    /// Before `set`; `null` without a number, and for other commands.
    was_minor: Option<u64>,
    /// For new orders; `null` without a number.
    available_minor: Option<u64>,
}

/// An error means that nothing was set.
pub(crate) async fn run(args: AccountArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        AccountCommand::Show { owner, currencies, common } => show(&owner, &currencies, &common).await,
        AccountCommand::Add { owner, currency, amount, common } => add(&owner, &currency, &amount, &common).await,
        AccountCommand::Set { owner, currency, amount, common } => {
            let money = Money::parse(&currency, &amount).map_err(|why| anyhow!("Nothing was set: {why}"))?;
            set(&owner, &money, &common).await
        }
    }
}

async fn show(owner: &str, currencies: &[String], common: &CommonArgs) -> anyhow::Result<ExitCode> {
    for currency in currencies {
        Money::check_currency(currency).map_err(|why| anyhow!(why))?;
    }
    let accounts = Counters::find_accounts(&common.stack.address()).await?;
    let keys: Vec<String> = currencies.iter().map(|currency| account_key(owner, currency)).collect();
    let numbers = accounts.read(&keys).await?;
    let balance = |(currency, key): (&'_ String, &String)| {
        shown(&AccountBalance { owner, currency, was_minor: None, available_minor: numbers.get(key).copied() }, false)
    };
    let (rows, json) = currencies.iter().zip(&keys).map(balance).unzip();
    Shown { heading: vec!["owner", "currency", "available"], rows, json }.write(common.json)
}

async fn add(owner: &str, currency: &str, amount: &str, common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let (sign, digits) = amount.strip_prefix('-').map_or((1, amount), |digits| (-1, digits));
    let money = Money::parse(currency, digits).map_err(|why| anyhow!("Nothing was changed: {why}"))?;
    ensure!(money.minor_units <= MAX_AVAILABLE, "Nothing was changed: the maximum is {MAX_AVAILABLE} minor units");
    let accounts = Counters::find_accounts(&common.stack.address()).await?;
    let available = accounts.add(&account_key(owner, currency), sign * money.minor_units.cast_signed()).await?;
    let (row, json) =
        shown(&AccountBalance { owner, currency, was_minor: None, available_minor: Some(available) }, false);
    let file = if common.json { "account.jsonl" } else { "account.txt" };
    let shown = Shown { heading: vec!["owner", "currency", "available"], rows: vec![row], json: vec![json] };
    shown.write_changes(common.json, None, file)
}

async fn set(owner: &str, money: &Money, common: &CommonArgs) -> anyhow::Result<ExitCode> {
    ensure!(money.minor_units <= MAX_AVAILABLE, "Nothing was set: the maximum is {MAX_AVAILABLE} minor units");
    let accounts = Counters::find_accounts(&common.stack.address()).await?;
    let counter = Counter { key: account_key(owner, &money.currency), available: money.minor_units };
    let was = accounts.set(&counter).await?;
    let available_minor = Some(counter.available);
    let (row, json) =
        shown(&AccountBalance { owner, currency: &money.currency, was_minor: was, available_minor }, true);
    let file = if common.json { "account.jsonl" } else { "account.txt" };
    let shown = Shown { heading: vec!["owner", "currency", "was", "available"], rows: vec![row], json: vec![json] };
    shown.write_changes(common.json, None, file)
}

/// Cells and JSON. `is_set`: the command is `set`.
fn shown(balance: &AccountBalance, is_set: bool) -> (Vec<String>, String) {
    let amount = |minor_units: Option<u64>| {
        or_dash(minor_units.map(|minor_units| Money { currency: balance.currency.to_owned(), minor_units }.amount()))
    };
    let names = [balance.owner.to_owned(), balance.currency.to_owned()].into_iter();
    let was = is_set.then(|| amount(balance.was_minor));
    let cells = names.chain(was).chain([amount(balance.available_minor)]).collect();
    (cells, serde_json::to_string(balance).expect("a balance has only string keys, so it is always JSON"))
}
