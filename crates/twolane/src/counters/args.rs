//! What can be typed after `twolane stock` and `twolane account`.

use crate::stack_args::DeployedArgs;
use crate::values::parse_subject;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use twolane_client::counters::{MAX_AVAILABLE, check_sku};

/// Largest amount that is added or taken away.
const MOST: i64 = MAX_AVAILABLE.cast_signed();

/// Options of `twolane stock`.
#[derive(Debug, Args)]
pub(crate) struct StockArgs {
    #[command(subcommand)]
    pub(crate) command: StockCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StockCommand {
    /// Show how many units of some SKUs are available.
    #[command(after_help = STOCK_HELP)]
    Show {
        /// SKUs to show.
        #[arg(value_name = "SKU", required = true, value_parser = parse_sku)]
        skus: Vec<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Add units of a SKU to those that are available.
    #[command(after_help = STOCK_HELP)]
    Add {
        /// The SKU.
        #[arg(value_name = "SKU", value_parser = parse_sku)]
        sku: String,
        /// Units to add; with a minus sign, units to take away.
        #[arg(value_name = "UNITS", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-MOST..=MOST))]
        units: i64,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Set how many units of a SKU are available, whatever orders take meanwhile.
    #[command(after_help = STOCK_HELP)]
    Set {
        /// The SKU.
        #[arg(value_name = "SKU", value_parser = parse_sku)]
        sku: String,
        /// Units that new orders may take, whatever is available now.
        #[arg(value_name = "UNITS", value_parser = clap::value_parser!(u64).range(..=MAX_AVAILABLE))]
        units: u64,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Set how many units of many SKUs are available, from a file, whatever orders take meanwhile.
    #[command(after_help = STOCK_HELP)]
    Load {
        /// JSON {"SKU-1":100,…} or CSV lines SKU-1,100; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Options of `twolane account`.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Show what an owner's accounts have available.
    #[command(after_help = ACCOUNT_HELP)]
    Show {
        /// The account's owner: the `sub` of the token.
        #[arg(value_name = "OWNER", value_parser = parse_subject)]
        owner: String,
        /// Currencies to show: ISO 4217 codes.
        #[arg(value_name = "CURRENCY", required = true)]
        currencies: Vec<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Add money to an owner's account.
    #[command(after_help = ACCOUNT_HELP)]
    Add {
        /// The account's owner: the `sub` of the token.
        #[arg(value_name = "OWNER", value_parser = parse_subject)]
        owner: String,
        /// The account's currency: an ISO 4217 code.
        #[arg(value_name = "CURRENCY")]
        currency: String,
        /// What to add, with all decimals of the currency, such as 250.00 in EUR; with a minus sign, what to take away.
        #[arg(value_name = "AMOUNT", allow_hyphen_values = true)]
        amount: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Set what an owner's account has available, whatever orders and payments take meanwhile.
    #[command(after_help = ACCOUNT_HELP)]
    Set {
        /// The account's owner: the `sub` of the token.
        #[arg(value_name = "OWNER", value_parser = parse_subject)]
        owner: String,
        /// The account's currency: an ISO 4217 code.
        #[arg(value_name = "CURRENCY")]
        currency: String,
        /// What new orders may spend, whatever is available now: an amount with all decimals of the currency, such as
        /// 250.00 in EUR.
        #[arg(value_name = "AMOUNT")]
        amount: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Options of every one of these commands.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// Write one JSON object per line, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

fn parse_sku(text: &str) -> Result<String, String> {
    check_sku(text).map(|()| text.to_owned())
}

/// What `twolane stock --help` and its commands' help end with.
pub(crate) const STOCK_HELP: &str = "\
An order of the bus lane takes its units from stock when it is placed. A SKU without a number has \
none.

`add` changes the number by so much, and loses nothing that orders take or give back meanwhile.

`set` and `load` replace the number, whatever it is by then: what orders took or gave back since you \
looked is overwritten. Use them for a SKU that no order takes at the moment. Units that orders have \
taken are not in the number: after a count of the shelves, set what was counted minus what orders \
still hold. An order that is cancelled later adds its units to the new number.

Examples:
  twolane stock show SKU-1 SKU-2
  twolane stock add SKU-1 40
  twolane stock add SKU-1 -5
  twolane stock set SKU-1 100
  twolane stock load stock.csv
  echo '{\"SKU-1\":100,\"SKU-2\":50}' | twolane stock load -
  twolane stock show SKU-1 --json | jq .available

Exit code:
  0  shown, added or set
  1  some were set, and AWS refused the others; or the result could not be
     written
  2  wrong usage, an unreadable file, no stack, less available than is to be
     taken away, or AWS refused: nothing was changed

The stack is found, and AWS asked, as for `twolane dlq`. It takes dynamodb:BatchGetItem to show, \
dynamodb:UpdateItem to set, and both to add, on the table of the output StockTableName.";

/// What `twolane account --help` and its commands' help end with.
pub(crate) const ACCOUNT_HELP: &str = "\
An order of the bus lane, and a payment of the API, takes its total from the owner's account in \
its currency. An account without a number has nothing.

`add` changes the number by so much, and loses nothing that orders and payments take or give back \
meanwhile.

`set` replaces the number, whatever it is by then: what orders and payments took or gave back since \
you looked is overwritten. Money that orders hold or have spent is not in the number. An order that \
is cancelled later adds its total to the new number.

Examples:
  twolane account show demo EUR USD
  twolane account add demo EUR 250.00
  twolane account add demo EUR -20.00
  twolane account set demo EUR 250.00
  twolane account set demo JPY 30000
  twolane account show demo EUR --json | jq .availableMinor

Exit code:
  0  shown, added or set
  1  the result could not be written
  2  wrong usage, no stack, less available than is to be taken away, or AWS
     refused: nothing was changed

The stack is found, and AWS asked, as for `twolane dlq`. It takes dynamodb:BatchGetItem to show, \
dynamodb:UpdateItem to set, and both to add, on the table of the output PaymentsTableName.";
