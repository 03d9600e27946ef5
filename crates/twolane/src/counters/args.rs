//! Options of `twolane stock` and `twolane account`.

use crate::stack_args::DeployedArgs;
use crate::values::parse_subject;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use twolane_client::counters::{MAX_AVAILABLE, check_sku};

/// Largest number to add or subtract.
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
    /// Add units to the available units of a SKU.
    #[command(after_help = STOCK_HELP)]
    Add {
        /// The SKU.
        #[arg(value_name = "SKU", value_parser = parse_sku)]
        sku: String,
        /// Units to add; with a minus sign, to subtract.
        #[arg(value_name = "UNITS", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-MOST..=MOST))]
        units: i64,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Set the available units of a SKU. Overwrites what orders take meanwhile.
    #[command(after_help = STOCK_HELP)]
    Set {
        /// The SKU.
        #[arg(value_name = "SKU", value_parser = parse_sku)]
        sku: String,
        /// Units that new orders may take.
        #[arg(value_name = "UNITS", value_parser = clap::value_parser!(u64).range(..=MAX_AVAILABLE))]
        units: u64,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Set the available units of many SKUs from a file. Overwrites what orders take meanwhile.
    #[command(after_help = STOCK_HELP)]
    Load {
        /// File with JSON {"SKU-1":100,…} or CSV lines SKU-1,100; `-` for standard input.
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
    /// Show the available money in an owner's accounts.
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
        /// Amount to add, with all decimals of the currency, such as 250.00 in EUR; with a minus sign, to subtract.
        #[arg(value_name = "AMOUNT", allow_hyphen_values = true)]
        amount: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Set the available money in an owner's account. Overwrites what orders and payments take meanwhile.
    #[command(after_help = ACCOUNT_HELP)]
    Set {
        /// The account's owner: the `sub` of the token.
        #[arg(value_name = "OWNER", value_parser = parse_subject)]
        owner: String,
        /// The account's currency: an ISO 4217 code.
        #[arg(value_name = "CURRENCY")]
        currency: String,
        /// Amount that new orders may spend, with all decimals of the currency, such as 250.00 in EUR.
        #[arg(value_name = "AMOUNT")]
        amount: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Options of all these commands.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// Write only JSON, one object per line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

fn parse_sku(text: &str) -> Result<String, String> {
    check_sku(text).map(|()| text.to_owned())
}

/// The last part of the help of `twolane stock` and its commands.
pub(crate) const STOCK_HELP: &str = "\
An order of the bus lane takes its units from stock when it is placed. A SKU without a number has \
none.

`add` changes the number by UNITS. It is safe while orders take or give back units.

`set` and `load` overwrite the number, including what orders took or gave back since you looked. Use \
them for a SKU that no order takes at the moment. The number does not include units that orders have \
taken. After counting the shelves, set the count minus what orders still hold. An order that is \
cancelled later adds its units to the new number.

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
  2  wrong usage, an unreadable file, no stack, fewer units available than to
     subtract, or AWS refused: nothing was changed

The stack is found, and your AWS configuration used, as for `twolane dlq`. `stock` needs \
dynamodb:BatchGetItem to show, dynamodb:UpdateItem to set, and both to add, on the table of the \
output StockTableName.";

/// End of the help of `twolane account` and its commands.
pub(crate) const ACCOUNT_HELP: &str = "\
An order of the bus lane, and a payment of the payments API, takes its total from the owner's \
account in its currency. An account without a number has nothing.

`add` changes the number by AMOUNT. It is safe while orders and payments take or give back money.

`set` overwrites the number, including what orders and payments took or gave back since you looked. \
The number does not include money that orders hold or have spent. An order that is cancelled later \
adds its total to the new number.

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
  2  wrong usage, no stack, less money available than to subtract, or AWS
     refused: nothing was changed

The stack is found, and your AWS configuration used, as for `twolane dlq`. `account` needs \
dynamodb:BatchGetItem to show, dynamodb:UpdateItem to set, and both to add, on the table of the \
output PaymentsTableName.";
