//! `twolane order`: places orders and draws each one's timeline.

use crate::cli::{Confirm, OrderArgs};
use crate::output::Results;
use crate::progress::{self, Progress};
use crate::style::Style;
use crate::{chart, summary, timeline_json};
use anyhow::Context;
use futures_util::{StreamExt, stream};
use lanes::Lane;
use reqwest::Url;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use twolane_client::callbacks::Callbacks;
use twolane_client::order_file::{self, PlannedOrder};
use twolane_client::placing::Placing;
use twolane_client::requests::{Requests, handshake};
use twolane_client::signals::{Signal, Signals};
use twolane_client::stack::{Stack, is_it_still_there};
use twolane_client::timeline::Timeline;
use twolane_client::token::Token;
use twolane_load::open_files::check_concurrency;

/// Columns without a terminal.
const DEFAULT_WIDTH: usize = 100;
/// Narrower lines are not legible; bars in wider ones are hard to compare.
const WIDTHS: std::ops::RangeInclusive<usize> = 80..=120;

/// An error means that nothing was sent.
pub(crate) async fn run(args: OrderArgs) -> anyhow::Result<ExitCode> {
    let orders = order_file::read(args.file.as_deref())?;
    check_concurrency(args.concurrency, orders.len())?;
    let stack = Stack::find(&args.stack.address()).await?;
    let api_url = stack.api_url()?;
    let token = Token::find(args.stack.token.as_deref(), &stack)?;
    let requests = Requests::new(api_url.clone(), token.clone(), stack.network(), args.concurrency.into())?;
    let progress = Arc::new(Progress::new(orders.len(), "orders done"));
    let callbacks = if args.lane.has_callback && confirm(args.confirm, &stack) == Confirm::Callback {
        let url = stack.websocket_url()?;
        handshake(&url, &token)?;
        let progress = Arc::clone(&progress);
        Some(Callbacks::open(url, token, stack.network().clone(), move |text| progress.say(text)).await)
    } else {
        None
    };
    let mut signals = Signals::listen().context("Failed to listen for signals")?;
    let (interrupt, interrupted) = watch::channel(false);
    let placing = Placing {
        requests,
        lane: args.lane,
        callbacks,
        timeout: Duration::from_secs(args.timeout),
        retries: args.retries,
        poll_after: Duration::from_secs(args.poll_after),
        interrupted,
    };

    let mut results = Results::stdout(if args.json { "orders.jsonl" } else { "orders.txt" });
    let planned = orders.len();
    let heading = heading(args.lane, &orders, args.concurrency, &api_url);
    let mut timelines = Vec::with_capacity(planned);
    let mut ended_by = None;
    let mut ends = stream::iter(chains(orders))
        .map(|chain| stream::iter(chain).then(|order| placing.place(order)).boxed_local())
        .flatten_unordered(usize::from(args.concurrency));
    loop {
        let end = tokio::select! {
            end = ends.next() => end,
            signal = signals.next(), if ended_by.is_none() => {
                ended_by = Some(signal);
                // All orders end now and keep what is known of them.
                interrupt.send_replace(true);
                continue;
            }
        };
        let Some(placed) = end else { break };
        let Some(timeline) = placed else { continue };
        progress.advance();
        if args.json {
            progress.clear();
            results.line(&timeline_json::line(&timeline));
        }
        timelines.push(timeline);
    }
    drop(ends);
    progress.clear();
    if let Some(callbacks) = placing.callbacks {
        callbacks.close().await;
    }

    let not_sent = planned - timelines.len();
    if let Some(signal) = ended_by {
        progress::say(&format!("Interrupted ({}). Orders not sent: {not_sent} of {planned}.", signal.name()));
    }
    if !args.json {
        timelines.sort_by_key(|timeline| timeline.order.line);
        let chart = chart::draw(&timelines, width(), Style::for_stdout());
        results.line(&format!("{heading}\n\n{chart}\n\n{}", summary::write(&timelines, not_sent, &api_url)));
    }
    if !results.are_written() {
        progress::say(&summary::write(&timelines, not_sent, &api_url));
    }
    if placing.requests.missed() {
        progress::say(is_it_still_there(&api_url));
    }
    Ok(exit_code(&timelines, results.are_written(), ended_by))
}

/// As chosen, else by callbacks if the stack has a WebSocket API.
fn confirm(chosen: Option<Confirm>, stack: &Stack) -> Confirm {
    chosen.unwrap_or_else(|| {
        if stack.has_websocket_api() {
            return Confirm::Callback;
        }
        progress::say("No WebSocket API of this stack is known: polling the status service for outcomes.");
        Confirm::Poll
    })
}

/// A single order is named by its whole id, with which its status can be asked.
fn heading(lane: Lane, orders: &[PlannedOrder], concurrency: u16, api_url: &Url) -> String {
    let orders = match orders {
        [order] => format!("order {}", order.order_id),
        _ => format!("{}, {concurrency} at a time", summary::orders(orders.len())),
    };
    format!("{} lane · {orders} · {api_url}", lane.name)
}

/// Groups the orders by order id, in the order of the file. A chain places one order at a time; chains run
/// concurrently.
fn chains(orders: Vec<PlannedOrder>) -> Vec<Vec<PlannedOrder>> {
    let mut chains: Vec<Vec<PlannedOrder>> = Vec::new();
    let mut chain_by_id: HashMap<String, usize> = HashMap::new();
    for order in orders {
        let chain = *chain_by_id.entry(order.order_id.clone()).or_insert(chains.len());
        if chain == chains.len() {
            chains.push(Vec::new());
        }
        chains[chain].push(order);
    }
    chains
}

fn width() -> usize {
    let terminal = if std::io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
    let width = terminal.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    width.clamp(*WIDTHS.start(), *WIDTHS.end())
}

fn exit_code(timelines: &[Timeline], are_written: bool, ended_by: Option<Signal>) -> ExitCode {
    if let Some(signal) = ended_by {
        return ExitCode::from(signal.exit_code());
    }
    let settled = timelines.iter().all(|timeline| timeline.end.outcome.status.is_final());
    if settled && are_written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, value::RawValue};

    fn order(line: usize, order_id: &str) -> PlannedOrder {
        PlannedOrder {
            line,
            name: None,
            order_id: order_id.to_owned(),
            is_repeat: false,
            body: RawValue::from_string("{}".to_owned()).expect("it is JSON"),
            content: Map::new(),
        }
    }

    #[test]
    fn orders_of_one_id_follow_each_other() {
        let orders = vec![order(1, "a"), order(2, "b"), order(3, "a"), order(4, "c"), order(5, "a")];

        let chained = chains(orders);

        let lines: Vec<Vec<usize>> =
            chained.iter().map(|chain| chain.iter().map(|order| order.line).collect()).collect();
        assert_eq!(lines, [vec![1, 3, 5], vec![2], vec![4]]);
    }
}
