//! What can be typed: commands, options and their help.

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

/// Place orders down the lanes of a Twolane stack, and compare what each lane does under the same load.
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
    /// Print what the WebSocket says until Ctrl-C.
    #[command(after_help = WATCH_HELP)]
    Watch(WatchArgs),
    /// Serve the page of the stack to a browser on this machine until Ctrl-C.
    #[command(after_help = PAGE_HELP)]
    Page(PageArgs),
    /// Show what is in the dead-letter queues: messages that failed all their deliveries.
    #[command(after_help = DLQ_HELP)]
    Dlq(DlqArgs),
    /// Move messages from the dead-letter queues back to their queues and wait for the outcome of their orders.
    #[command(after_help = REDRIVE_HELP)]
    Redrive(RedriveArgs),
    /// Show, add or set how many units of a SKU orders of the bus lane may take.
    #[command(after_help = STOCK_HELP)]
    Stock(StockArgs),
    /// Show, add or set how much money of an owner orders of the bus lane may take.
    #[command(after_help = ACCOUNT_HELP)]
    Account(AccountArgs),
    /// Send the same load down the stack's lanes, and report what each made of it.
    #[command(after_help = compare_help())]
    Compare(Box<CompareArgs>),
    /// Compute what each lane would do with a load on AWS: limits, backlog, delays and costs. Nothing is sent.
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
    /// Which way the orders go.
    #[arg(long, value_parser = lane_parser())]
    pub(crate) lane: Lane,
    /// Orders as JSON lines, `-` for standard input; without it, one sample order is placed.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Write one JSON object per order, as each one ends, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Orders under way at the same time. Lines of one order id follow each other all the same.
    #[arg(long, value_name = "ORDERS", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
    /// How long to wait for the outcome of an order, from sending it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// How often to repeat a request that was throttled (429), met 500, 502, 503 or 504 or got no answer.
    /// Repeating is safe: an order id has one order, however often it is sent. API Gateway answers 500
    /// for a throttled function.
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    pub(crate) retries: usize,
    /// How to learn the outcome in a lane that answers with a receipt: by the WebSocket, or only by asking the status
    /// service. Without it, by the WebSocket where the stack has one.
    #[arg(long, value_enum)]
    pub(crate) confirm: Option<Confirm>,
    /// How long a callback may take before the status service is asked as well.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) poll_after: u64,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
}

/// Options of `twolane watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Subscribe to this order as well, and print its present state first. May be given several times.
    #[arg(long = "order", value_name = "ORDER_ID", num_args = 1.., value_parser = parse_order_id)]
    pub(crate) orders: Vec<String>,
    /// Write every frame as it came, one per line, and nothing else.
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
    /// Reports that `twolane compare` wrote: one to show, several to compare with the first.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write JSON, and nothing else: the report, or the figures of several with their ratios to the first.
    #[arg(long)]
    pub(crate) json: bool,
    /// Compute costs and verdict anew with these prices: a TOML file like prices/us-east-1.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Write the report's page to that file, too: charts and figures in one HTML file, for any browser.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write a picture of what each lane did over time to that file, too: SVG, in light and dark, for documents.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Hold the report against a promise about a lane's figure, such as 'async.done.p99<2s' or '*.lost==0'. May be given
    /// several times. Without it, the promises of the run are shown.
    #[arg(long, value_name = "PROMISE")]
    pub(crate) require: Vec<Promise>,
}

/// Options of `twolane token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Who the token's bearer is: the owner of the orders placed with it. 1 to 255 visible ASCII characters.
    #[arg(long, value_name = "NAME", value_parser = parse_subject)]
    pub(crate) subject: String,
    /// How long the token is valid: 90s, 15m, 1h, 2d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_ttl)]
    pub(crate) ttl: Duration,
    /// The issuer's file; without it, that of the local stack.
    #[arg(long, value_name = "FILE")]
    pub(crate) issuer: Option<PathBuf>,
}

/// How the outcome of a queued order is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confirm {
    /// Over the WebSocket; the status service is asked when a callback is overdue.
    Callback,
    /// From the status service alone.
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
Requests carry --token or TWOLANE_TOKEN; without either, a token for `demo` that the local stack's \
issuer makes, where 3, 4 or --outputs gave the stack.

All connections obey HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in upper or lower case; this machine is \
reached without a proxy. AWS_CA_BUNDLE, or ca_bundle of the AWS profile, names the PEM file of the \
certificates to trust in place of the operating system's.";

const ORDER_HELP: &str = "\
The file has one order per line; blank lines are skipped:
  {\"order\":{\"currency\":\"EUR\",\"items\":[{\"sku\":\"SKU-1\",\"quantity\":2,\"unitPriceMinor\":1999}]}}
  {\"name\":\"espresso\",\"order\":{…}}     one order id for all lines of the name
  {\"orderId\":\"<UUID>\",\"order\":{…}}    the order id to use
`orderId` is taken in upper or lower case, in braces or as urn:uuid:, and sent in lower case. \
`order` is the request's body. A line without name and orderId has an order id of its own, new in \
every run. The second line of an order id is sent when the first has its outcome. Nothing is sent \
unless every line can be read.

In the bus lane, stock, payment and shipment vote on each order, and the line below it shows how \
each step ended. Fill stock and accounts first: `twolane stock` and `twolane account`.

Ctrl-C (SIGINT) and SIGTERM end a run early: no more orders are sent, and what is known of those \
that were is shown. The ones without an outcome are UNANSWERED, with their order ids; they may yet \
be confirmed. Orders that were not sent are only counted.

Examples:
  twolane order --lane sync
  twolane order --lane async --file samples/orders.jsonl
  twolane order --lane async --file orders.jsonl --json | jq '.status, .doneMs'
  twolane order --lane sync --stack-name twolane --token \"$TOKEN\"
  TWOLANE_TOKEN=$(twolane token --subject alice) twolane order --lane async

Exit code:
  0    every order was confirmed, cancelled or rejected
  1    some order was not: no outcome in time, an error such as 429 or 503, or
       FAILED; or the result could not be written, and is in a file that
       standard error names
  2    wrong usage, an unreadable file, too few open files or no stack: nothing
       was sent
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

The stack is found in this order:
  1. --api-url and --websocket-url, or --stack-name, or --outputs
  2. TWOLANE_API_URL and TWOLANE_WEBSOCKET_URL
  3. TWOLANE_OUTPUTS, a file like that of --outputs
  4. .local/outputs.json here or in a folder above, which `make up` writes
--stack-name goes by your AWS configuration: AWS_ENDPOINT_URL, or endpoint_url of the profile, \
included. \
Requests carry --token or TWOLANE_TOKEN; without either, a token for `demo` that the local stack's \
issuer makes, where 3, 4 or --outputs gave the stack.";

const WATCH_HELP: &str = "\
Every open socket receives the owner's orders as they get their outcome. A socket that closes is \
opened again: API Gateway closes each one after two hours. Results of the time between are not sent \
again. A message on standard error says which time that is. Orders given by --order are subscribed \
to again, which prints their state; of others ask with --order, or with GET /orders/ORDER_ID.

Every five minutes a ping keeps the socket open; its answer is not printed.

Examples:
  twolane watch
  twolane watch --order 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b
  twolane watch --json | jq .type

Exit code:
  0  ended by Ctrl-C, or the reader of its output went away
  1  the WebSocket did not open, the token was refused, or the output could not
     be written
  2  wrong usage or no stack

A socket ends with its token. One of the local issuer is made anew; one that was given by --token or \
TWOLANE_TOKEN is not, so that watching ends with it.

The stack is found as for `twolane order`, and so is the token; see `twolane --help`.";

const PAGE_HELP: &str = "\
The page shows all lanes next to each other: it places orders, and follows them to their outcome. \
Its address is printed, and opened if there is a screen.

It is served on loopback, and only to a browser that asks for `localhost`. The token is handed to the \
page alone, which keeps it in memory: the local issuer's lasts 15 minutes and is renewed, and one that \
was given by --token or TWOLANE_TOKEN lasts as long as it says. While the page is served, other programs \
on this machine can get the token, too.

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

/// What `twolane report --help` ends with.
fn report_help() -> String {
    REPORT_HELP.replacen("{metrics}", &metrics_help(), 1)
}

const REPORT_HELP: &str = "\
A promise is LANE.METRIC, an operator (<, <=, >, >=, ==) and a number with its unit. LANE is a name, \
or * for each lane. A figure that was not measured breaks its promise. The metrics, and what their \
number is:
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
  2  wrong usage, a file that is no report, or a page or a result that cannot be
     written
  3  a promise of --require is broken";

const TOKEN_HELP: &str = "\
`make up` makes a key in .local/issuer.json that only its stack accepts. Whoever can read that file \
can be anybody there. The token is all that is printed.

The stack may go on taking a token for 90 seconds after it expired: 30 for clocks that differ, and 60 \
for which API Gateway remembers what it thought of a token.

Examples:
  twolane token --subject alice
  twolane token --subject alice --ttl 15m
  export TWOLANE_TOKEN=$(twolane token --subject alice)
  TWOLANE_TOKEN=$(twolane token --subject bob) twolane watch

Exit code:
  0  the token is printed
  2  wrong usage, or no local issuer

The issuer is that beside the file in TWOLANE_OUTPUTS, else beside .local/outputs.json here or in a \
folder above.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn takes_only_one_way_of_naming_the_stack() {
        let typed = ["twolane", "watch", "--api-url", "http://localhost", "--stack-name", "twolane"];

        assert!(Cli::try_parse_from(typed).is_err());
    }
}
