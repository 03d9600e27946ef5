//! `twolane watch`: prints the frames of the WebSocket.

use crate::cli::WatchArgs;
use crate::output::Output;
use crate::progress::say;
use crate::style::{Style, Tone};
use orders_api::{OrderView, ServerFrame};
use std::process::ExitCode;
use time::OffsetDateTime;
use tokio::signal::ctrl_c;
use twolane_client::money::Money;
use twolane_client::order_file::parse_order_id;
use twolane_client::requests::handshake;
use twolane_client::socket::{KeepAlive, Socket, SocketEvent};
use twolane_client::stack::Stack;
use twolane_client::timestamp::timestamp;
use twolane_client::token::Token;
use twolane_report::printable;

/// Most order ids in one message.
const MAX_LISTED: usize = 10;

/// An error means that there is nothing to watch.
pub(crate) async fn run(args: WatchArgs) -> anyhow::Result<ExitCode> {
    let stack = Stack::find(&args.stack.address()).await?;
    let (url, token) = (stack.websocket_url()?, Token::find(args.stack.token.as_deref(), &stack)?);
    handshake(&url, &token)?;
    let style = Style::for_stdout();
    let mut output = Output::stdout();
    let subscribed = args.orders.clone();
    let network = stack.network().clone();
    let mut socket = Socket::keep_open(url.clone(), token, network, KeepAlive::Message, move || subscribed.clone());
    let gap = Gap { orders: &args.orders, api_url: stack.api_url().ok().map(|url| url.to_string()) };
    let (mut opened_before, mut hinted) = (false, false);
    // The socket was last known to be open then.
    let mut gap_since = None;
    let mut interrupted = std::pin::pin!(ctrl_c());
    let code = loop {
        let event = tokio::select! {
            event = socket.next() => event,
            _ = interrupted.as_mut() => break ExitCode::SUCCESS,
        };
        match event {
            SocketEvent::Opened if opened_before => {
                hinted = false;
                say("The WebSocket is open again.");
                if let Some(since) = gap_since.take() {
                    say(&gap.until_now(since, OffsetDateTime::now_utc()));
                }
            }
            SocketEvent::Opened => {
                opened_before = true;
                say(&format!("Watching {url} until Ctrl-C."));
            }
            SocketEvent::Lost { why, hint, .. } if !opened_before => {
                say(&format!("error: Failed to open the WebSocket {url}: {why}"));
                hint.into_iter().for_each(say);
                break ExitCode::FAILURE;
            }
            SocketEvent::Lost { why, hint, retry_in: None, last_received_at } => {
                gap_since = gap_since.or(last_received_at);
                say(&format!("error: The WebSocket does not open again: {why}"));
                hint.into_iter().for_each(say);
                break ExitCode::FAILURE;
            }
            SocketEvent::Lost { why, hint, retry_in: Some(retry_in), last_received_at } => {
                gap_since = gap_since.or(last_received_at);
                say(&format!("The WebSocket is not open ({why}). Trying again in {} ms.", retry_in.as_millis()));
                hint.filter(|_| !std::mem::replace(&mut hinted, true)).into_iter().for_each(say);
            }
            SocketEvent::Frame { text, .. } => {
                let line = if args.json { one_line(&text) } else { line(&text, OffsetDateTime::now_utc(), style) };
                if let Err(error) = output.line(&line) {
                    say(&format!("error: Failed to write the frame: {error}"));
                    break ExitCode::FAILURE;
                }
                if output.is_closed() {
                    break ExitCode::SUCCESS;
                }
            }
        }
    };
    socket.close().await;
    if let Some(since) = gap_since {
        say(&gap.to_the_end(since));
    }
    Ok(code)
}

/// A period without an open WebSocket. Its notifications are not sent again.
struct Gap<'a> {
    /// Orders to subscribe to again.
    orders: &'a [String],
    api_url: Option<String>,
}

impl Gap<'_> {
    fn until_now(&self, since: OffsetDateTime, now: OffsetDateTime) -> String {
        let subscribed = match self.orders {
            [] => String::new(),
            [order] => format!(" Subscribed again to {order}: its state follows."),
            orders => format!(" Subscribed again to {}: their states follow.", listed(orders)),
        };
        let which = if self.orders.is_empty() { "an order" } else { "any other order" };
        let (since, now) = (timestamp(since), timestamp(now));
        format!("Results between {since} and {now} may be missing.{subscribed} {}", self.catch_up(which))
    }

    fn to_the_end(&self, since: OffsetDateTime) -> String {
        format!("Results since {} may be missing. {}", timestamp(since), self.catch_up("an order"))
    }

    fn catch_up(&self, which: &str) -> String {
        let url = self.api_url.as_deref().map(|url| format!("{}/", url.trim_end_matches('/')));
        format!(
            "To catch up on {which} of that time, run `twolane watch --order ORDER_ID` or send GET {}orders/ORDER_ID.",
            url.as_deref().unwrap_or("/")
        )
    }
}

fn listed(orders: &[String]) -> String {
    let shown = orders.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>().join(", ");
    match orders.len().saturating_sub(MAX_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Line breaks between JSON tokens mean nothing.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// Time, type, order id and detail of a frame.
fn line(text: &str, now: OffsetDateTime, style: Style) -> String {
    let stamp = timestamp(now);
    let time = style.paint(Tone::Faint, stamp.split_once('T').map_or(stamp.as_str(), |(_, time)| time));
    let (kind, tone, order_id, detail) = match serde_json::from_str::<ServerFrame>(text) {
        Ok(ServerFrame::Confirmed { order_id, order, order_url }) => {
            ("order.confirmed", Tone::Good, order_id, order.map_or(order_url, |order| Some(describe(&order))))
        }
        Ok(ServerFrame::Cancelled { order_id, reason, .. }) => {
            ("order.cancelled", Tone::NotConfirmed, order_id, Some(reason))
        }
        Ok(ServerFrame::Rejected { order_id, reason, .. }) => {
            ("order.rejected", Tone::NotConfirmed, order_id, Some(reason))
        }
        Ok(ServerFrame::Failed { order_id, reason }) => ("order.failed", Tone::Bad, order_id, Some(reason)),
        Ok(ServerFrame::Status { order_id, status, order, order_url }) => {
            let detail = order.map(|order| describe(&order)).or(order_url).map(|detail| format!(" · {detail}"));
            ("order.status", Tone::Faint, order_id, Some(status + &detail.unwrap_or_default()))
        }
        Ok(ServerFrame::Error { detail }) => ("error", Tone::Bad, "-".to_owned(), Some(detail)),
        Ok(ServerFrame::Pong) => ("pong", Tone::Faint, "-".to_owned(), None),
        // From a later version of the service.
        Err(_) => ("?", Tone::Faint, "-".to_owned(), Some(text.to_owned())),
    };
    let kind = style.paint(tone, &format!("{kind:<15}"));
    // The stack may spell the id differently.
    let order_id = parse_order_id(&order_id).unwrap_or(order_id);
    let (order_id, detail) = (printable(&order_id), printable(&detail.unwrap_or_default()));
    format!("{time}  {kind}  {order_id:<36}  {detail}").trim_end().to_owned()
}

fn describe(order: &OrderView) -> String {
    let total = order.currency.clone().zip(order.total_minor).map(|(currency, minor_units)| {
        let money = Money { currency, minor_units };
        format!("{} {}", money.currency, money.amount())
    });
    let attempts = if order.attempts == 1 { "1 attempt".to_owned() } else { format!("{} attempts", order.attempts) };
    let parts = [total, Some(format!("{} lane", order.lane)), Some(attempts), order.reason.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const ID: &str = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";

    #[test]
    fn shows_a_confirmed_order_with_its_total() {
        let order = json!({
            "orderId": ID, "status": "CONFIRMED", "lane": "async", "currency": "EUR", "totalMinor": 5997,
            "items": [], "placedAt": "", "attempts": 2,
        });
        let frame = json!({"type": "order.confirmed", "orderId": ID, "order": order}).to_string();

        assert_eq!(
            line(&frame, NOW, Style::PLAIN),
            format!("00:00:00.000Z  order.confirmed  {ID}  EUR 59.97 · async lane · 2 attempts")
        );
    }

    #[test]
    fn shows_a_pending_order_and_an_error() {
        let pending = json!({"type": "order.status", "orderId": ID, "status": "PENDING"}).to_string();
        let error = json!({"type": "error", "detail": "send\x1b[2J"}).to_string();

        assert_eq!(line(&pending, NOW, Style::PLAIN), format!("00:00:00.000Z  order.status     {ID}  PENDING"));
        assert!(line(&error, NOW, Style::PLAIN).ends_with("send\u{fffd}[2J"));
    }

    #[test]
    fn shows_an_unknown_frame_as_received() {
        assert!(line(r#"{"type":"order.shipped"}"#, NOW, Style::PLAIN).ends_with(r#"  {"type":"order.shipped"}"#));
    }

    #[test]
    fn writes_order_ids_in_lower_case() {
        let frame = json!({"type": "order.rejected", "orderId": ID.to_uppercase(), "reason": "r"}).to_string();

        assert_eq!(line(&frame, NOW, Style::PLAIN), format!("00:00:00.000Z  order.rejected   {ID}  r"));
    }

    #[test]
    fn reports_the_gap_and_how_to_catch_up() {
        let orders: Vec<String> = (0..12).map(|number| format!("id-{number}")).collect();
        let gap = |orders| Gap { orders, api_url: Some("https://host/live/".to_owned()) };
        let times = "between 1970-01-01T00:00:00.000Z and 1970-01-01T00:00:00.000Z may be missing.";

        let none = gap(&[]).until_now(NOW, NOW);
        let one = gap(&orders[..1]).until_now(NOW, NOW);
        let many = gap(&orders).until_now(NOW, NOW);

        assert!(none.contains(times) && !none.contains("Subscribed"), "{none}");
        assert!(
            none.contains("catch up on an order") && none.ends_with("GET https://host/live/orders/ORDER_ID."),
            "{none}"
        );
        assert!(one.contains("Subscribed again to id-0: its state follows. To catch up on any other order"), "{one}");
        assert!(many.contains("id-8, id-9 and 2 more: their states follow."), "{many}");
    }

    proptest! {
        #[test]
        fn no_frame_makes_the_printer_panic(text in any::<String>()) {
            let _ = line(&text, NOW, Style::PLAIN);
            prop_assert!(!one_line(&text).contains('\n'));
        }
    }
}
