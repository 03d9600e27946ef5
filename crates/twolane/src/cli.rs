//! Commands, options and their help.

use crate::compare::args::{CompareArgs, compare_help};
use crate::counters::args::{ACCOUNT_HELP, AccountArgs, STOCK_HELP, StockArgs};
use crate::dead_letters::args::{DLQ_HELP, DlqArgs, REDRIVE_HELP, RedriveArgs};
use crate::plan::args::{PLAN_HELP, PlanArgs};
use crate::stack_args::StackArgs;
use crate::values::{lane_parser, parse_subject, parse_ttl};
use clap::{Args, Parser, Subcommand, ValueEnum};
use lanes::Lane;
use std::path::PathBuf;
use std::time::Duration;
use twolane_client::order_file::parse_order_id;
use twolane_report::{Promise, promise::metrics_help};

/// Place orders down the lanes of a Twolane stack, and compare the lanes under the same load.
#[derive(Debug, Parser)]
#[command(name = "twolane", version, arg_required_else_help = true, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Place orders and draw each one's timeline.
    #[command(after_help = ORDER_HELP)]
    Order(OrderArgs),
    /// Print WebSocket messages until Ctrl-C.
    #[command(after_help = WATCH_HELP)]
    Watch(WatchArgs),
    /// Serve the page of the stack to a browser on this machine until Ctrl-C.
    #[command(after_help = PAGE_HELP)]
    Page(PageArgs),
    /// Show the messages in the dead-letter queues: they failed all their deliveries.
    #[command(after_help = DLQ_HELP)]
    Dlq(DlqArgs),
    /// Move dead letters back to their queues, and wait for the outcome of their orders.
    #[command(after_help = REDRIVE_HELP)]
    Redrive(RedriveArgs),
    /// Show, add or set the units of a SKU that orders of the bus lane may take.
    #[command(after_help = STOCK_HELP)]
    Stock(StockArgs),
    /// Show, add or set the money of an owner that orders of the bus lane may take.
    #[command(after_help = ACCOUNT_HELP)]
    Account(AccountArgs),
    /// Send the same load down the stack's lanes, and report how each handles it.
    #[command(after_help = compare_help())]
    Compare(Box<CompareArgs>),
    /// Compute how each lane would handle a load on AWS: limits, backlog, delays and costs. Sends nothing.
    #[command(after_help = PLAN_HELP)]
    Plan(Box<PlanArgs>),
    /// Show the report of a comparison again, or compare the reports of several.
    #[command(after_help = report_help())]
    Report(ReportArgs),
    /// Print an access token for the local stack.
    #[command(after_help = TOKEN_HELP)]
    Token(TokenArgs),
}

/// Options of `twolane order`.
#[derive(Debug, Args)]
pub(crate) struct OrderArgs {
    /// Lane to send the orders down.
    #[arg(long, value_parser = lane_parser())]
    pub(crate) lane: Lane,
    /// File of orders as JSON lines, `-` for standard input. Without it, one sample order is placed.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Write only one JSON object per order, as each order ends.
    #[arg(long)]
    pub(crate) json: bool,
    /// Orders under way at the same time. Lines with the same order id are still sent one after the other.
    #[arg(long, value_name = "ORDERS", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
    /// How long to wait for an order's outcome after sending it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// How often to repeat a request that is throttled (429), gets 500, 502, 503 or 504, or gets no answer.
    /// Repeating is safe: an order id is stored once, however often you send it. API Gateway answers 500
    /// for a throttled function.
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    pub(crate) retries: usize,
    /// How to learn the outcome in a lane that answers with a receipt. Without it, by callbacks if the stack has a
    /// WebSocket API, else by polls.
    #[arg(long, value_enum)]
    pub(crate) confirm: Option<Confirm>,
    /// How long to wait for a callback before polling as well.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) poll_after: u64,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
}

/// Options of `twolane watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Also subscribe to this order. Prints its current state first. May be given several times.
    #[arg(long = "order", value_name = "ORDER_ID", num_args = 1.., value_parser = parse_order_id)]
    pub(crate) orders: Vec<String>,
    /// Write only the frames as received, one per line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
}

/// Options of `twolane page`.
#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// Port of this machine to serve it on; 0 is any free one. The stack must allow pages of that origin.
    #[arg(long, default_value_t = 3000)]
    pub(crate) port: u16,
    /// Do not open a browser.
    #[arg(long)]
    pub(crate) no_browser: bool,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
}

/// Options of `twolane report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Reports of `twolane compare`: one to show, or several to compare with the first.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write only JSON: the report, or the figures of several with their ratios to the first.
    #[arg(long)]
    pub(crate) json: bool,
    /// Recompute costs and verdict with these prices: a TOML file like prices/us-east-1.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Also write charts and figures to this file, as one HTML page for any browser.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Also draw each lane over time to this file: an SVG picture for documents, in light and dark.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Check the report against a promise about a lane's figure, such as 'async.done.p99<2s' or '*.lost==0'. May be given
    /// several times. Without it, the promises of the run are shown.
    #[arg(long, value_name = "PROMISE")]
    pub(crate) require: Vec<Promise>,
}

/// Options of `twolane token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The token's `sub`: the owner of the orders placed with it. 1 to 255 visible ASCII characters.
    #[arg(long, value_name = "NAME", value_parser = parse_subject)]
    pub(crate) subject: String,
    /// How long the token is valid: 90s, 15m, 1h, 2d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_ttl)]
    pub(crate) ttl: Duration,
    /// The issuer's file. Without it, the local stack's.
    #[arg(long, value_name = "FILE")]
    pub(crate) issuer: Option<PathBuf>,
}

/// How to learn the outcome of a queued order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confirm {
    /// Over the WebSocket; polls when a callback is overdue.
    Callback,
    /// By polling the status service only.
    Poll,
}

const EXAMPLES: &str = "\
Examples:
  twolane order --lane sync
  twolane order --lane async --file samples/orders.jsonl
  twolane order --lane bus
  twolane watch
  twolane page
  twolane compare --rate 50 --duration 60
  twolane report report.json
  twolane plan --rate 1000 --peak 5 --arrivals day
  twolane dlq
  twolane redrive
  twolane stock set SKU-1 100
  twolane account set demo EUR 250.00
  twolane token --subject alice

The stack is found in this order:
  1. --api-url and --websocket-url, or --stack-name, or --outputs
  2. TWOLANE_API_URL and TWOLANE_WEBSOCKET_URL
  3. TWOLANE_OUTPUTS, a file like that of --outputs
  4. .local/outputs.json here or in a folder above, which `make up` writes
Requests carry --token or TWOLANE_TOKEN. Without either, and with a stack from --outputs, 3 or 4, \
the local issuer makes a token for `demo`.

All connections use HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in upper or lower case, except those to \
this machine. AWS_CA_BUNDLE, or ca_bundle of the AWS profile, names a PEM file of certificates to \
trust instead of the operating system's.";

const ORDER_HELP: &str = "\
The file has one order per line; blank lines are skipped:
  {\"order\":{\"currency\":\"EUR\",\"items\":[{\"sku\":\"SKU-1\",\"quantity\":2,\"unitPriceMinor\":1999}]}}
  {\"name\":\"espresso\",\"order\":{…}}     one order id for all lines of the name
  {\"orderId\":\"<UUID>\",\"order\":{…}}    the order id to use
Write `orderId` in upper or lower case, in braces or as urn:uuid:; it is sent in lower case. \
`order` is the request's body. A line without name and orderId gets a new order id in every run. \
The second line of an order id is sent when the first has its outcome. Nothing is sent unless \
every line can be read.

In the bus lane, stock, payment and shipment vote on each order, and the line below it shows how \
each step ended. Fill stock and accounts first: `twolane stock` and `twolane account`.

Ctrl-C (SIGINT) and SIGTERM end a run early: no more orders are sent, and the results so far are \
shown. Orders without an outcome are UNANSWERED, with their order ids; they may still be \
confirmed. Orders that were not sent are only counted.

Examples:
  twolane order --lane sync
  twolane order --lane async --file samples/orders.jsonl
  twolane order --lane async --file orders.jsonl --json | jq '.status, .doneMs'
  twolane order --lane sync --stack-name twolane --token \"$TOKEN\"
  TWOLANE_TOKEN=$(twolane token --subject alice) twolane order --lane async

Exit code:
  0    every order was confirmed, cancelled or rejected
  1    an order was not: no outcome in time, an error such as 429 or 503, or
       FAILED. Or the result could not be written: standard error names the
       file that has it
  2    wrong usage, an unreadable file, too few open files or no stack: nothing
       was sent
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

The stack is found in this order:
  1. --api-url and --websocket-url, or --stack-name, or --outputs
  2. TWOLANE_API_URL and TWOLANE_WEBSOCKET_URL
  3. TWOLANE_OUTPUTS, a file like that of --outputs
  4. .local/outputs.json here or in a folder above, which `make up` writes
--stack-name uses your AWS configuration, including AWS_ENDPOINT_URL, or endpoint_url of the \
profile. \
Requests carry --token or TWOLANE_TOKEN. Without either, and with a stack from --outputs, 3 or 4, \
the local issuer makes a token for `demo`.";

const WATCH_HELP: &str = "\
An open socket receives a message when one of its owner's orders gets an outcome. API Gateway \
closes each socket after two hours; `watch` opens it again. Results in between are not sent \
again: standard error says which period was missed. `watch` also subscribes again to the orders \
of --order, which prints their state. For other orders use --order or GET /orders/ORDER_ID.

Every five minutes a ping keeps the socket open; its answer is not printed.

Examples:
  twolane watch
  twolane watch --order 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b
  twolane watch --json | jq .type

Exit code:
  0  ended by Ctrl-C, or the reader closed the output
  1  the WebSocket did not open, the token was refused, or the output could not
     be written
  2  wrong usage or no stack

A socket closes when its token expires. `watch` renews tokens of the local issuer. It cannot renew a \
token from --token or TWOLANE_TOKEN, and ends when that token expires.

The stack is found, and the token chosen, as for `twolane order`; see `twolane --help`.";

const PAGE_HELP: &str = "\
The page shows all lanes next to each other: it places orders, and follows them to their outcome. \
Its address is printed, and opened if there is a screen.

It is served on loopback, and only to a browser that asks for `localhost`. Only the page gets the token, \
and keeps it in memory. A token of the local issuer lasts 15 minutes and is renewed; a token from --token \
or TWOLANE_TOKEN is not. While the page is served, other programs on this machine can get the token, too.

If your AWS credentials can read the stack's queues, the page shows the messages in them.

The stack must list the page's origin in CorsAllowedOrigins. A local stack lists \
http://localhost:3000, so leave --port as it is.

Examples:
  twolane page
  twolane page --no-browser
  TWOLANE_TOKEN=$(twolane token --subject alice) twolane page

Exit code:
  0  ended by Ctrl-C
  2  wrong usage, no stack, no token, or the port is in use

The stack is found as for `twolane order`, and so is the token; see `twolane --help`.";

/// End of `twolane report --help`.
fn report_help() -> String {
    REPORT_HELP.replacen("{metrics}", &metrics_help(), 1)
}

const REPORT_HELP: &str = "\
A promise is LANE.METRIC, an operator (<, <=, >, >=, ==) and a number with its unit. LANE is a name, \
or * for each lane. A figure that was not measured breaks its promise. The metrics and their units:
{metrics}

Examples:
  twolane report report.json
  twolane report before.json after.json
  twolane report report.json --prices eu-central-1.toml
  twolane report report.json --html report.html
  twolane report report.json --picture burst.svg
  twolane report report.json --require 'sync.refused<1%'

Exit code:
  0  shown, and every promise of --require is kept
  1  shown, and --require is given for a run that was interrupted or has errors
  2  wrong usage, a file that is not a report, or a page or a result that cannot
     be written
  3  a promise of --require is broken";

const TOKEN_HELP: &str = "\
`make up` writes a key to .local/issuer.json that only its stack accepts. Anyone who can read that \
file can act as any owner there. The command prints only the token.

The stack may accept a token for 90 seconds after it expired. 30 of them allow for clocks that \
differ; for the other 60, API Gateway may use the authorizer's cached result.

Examples:
  twolane token --subject alice
  twolane token --subject alice --ttl 15m
  export TWOLANE_TOKEN=$(twolane token --subject alice)
  TWOLANE_TOKEN=$(twolane token --subject bob) twolane watch

Exit code:
  0  the token is printed
  2  wrong usage, or no local issuer

The issuer's file is next to the file in TWOLANE_OUTPUTS, else next to .local/outputs.json here or \
in a folder above.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rejects_two_ways_of_naming_the_stack() {
        let typed = ["twolane", "watch", "--api-url", "http://localhost", "--stack-name", "twolane"];

        assert!(Cli::try_parse_from(typed).is_err());
    }
}
