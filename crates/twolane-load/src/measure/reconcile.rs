//! The lane's sums against the orders table.

use super::lane::HttpLane;
use super::tally::{OrderState, Outcome};
use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use twolane_client::orders_table::{OrderKey, OrdersTable};
use twolane_report::model::Reconciliation;

/// Orders looked up in one request. Source: Amazon DynamoDB API Reference, `BatchGetItem`.
const BATCH: usize = 100;

/// Requests under way at the same time.
const AT_ONCE: usize = 8;

/// Differences that are listed one by one.
const MAX_TOLD: usize = 20;

/// Looks every order up that was sent, warm-up included, and compares. Orders may still be on their way where the run
/// did not wait for them `to_the_end`.
///
/// # Errors
/// The table cannot be read.
pub(crate) async fn reconcile(
    table: &OrdersTable,
    lane: &HttpLane,
    subjects: &[String],
    orders: &[OrderState],
    to_the_end: bool,
) -> anyhow::Result<Reconciliation> {
    let sent: Vec<(u32, OrderState)> =
        (0_u32..).zip(orders.iter().copied()).filter(|(_, state)| state.sent > 0).collect();
    let checked = sent.len() as u64;
    let batches = stream::iter(sent.chunks(BATCH)).map(|orders| compare(table, lane, subjects, orders, to_the_end));
    let (stored, mut mismatches) = batches
        .buffer_unordered(AT_ONCE)
        .try_fold((0, Vec::new()), async |(stored, mut all), (more, mismatches)| {
            all.extend(mismatches);
            Ok((stored + more, all))
        })
        .await
        .context("The sums were not compared with the orders table")?;
    let differences = mismatches.len() as u64;
    mismatches.truncate(MAX_TOLD);
    Ok(Reconciliation { checked, stored, differences, mismatches })
}

/// How many of these orders are stored, and which are not as measured.
async fn compare(
    table: &OrdersTable,
    lane: &HttpLane,
    subjects: &[String],
    orders: &[(u32, OrderState)],
    to_the_end: bool,
) -> anyhow::Result<(u64, Vec<String>)> {
    let key = |number| lane.ids.key(number, lane.workload.turns, subjects);
    let keys: Vec<OrderKey> = orders.iter().map(|(number, _)| key(*number)).collect();
    let records = table.records(&keys).await?;
    let mismatches = orders.iter().zip(&keys).filter_map(|((_, state), key)| {
        let found = records.get(key).map(|record| record.status.as_str());
        let why = mismatch(state, found, to_the_end)?;
        Some(format!("order {}: {why}", key.order_id))
    });
    Ok((records.len() as u64, mismatches.collect()))
}

/// Why an order and its record do not go together.
fn mismatch(state: &OrderState, found: Option<&str>, to_the_end: bool) -> Option<String> {
    let measured = match (state.outcome, found) {
        (_, Some(_)) if state.accepted == 0 && !state.in_doubt => "was refused",
        // A later delivery decides what had failed; and what the database refused to the last, it may have refused to
        // record as failed too: the message is in the dead-letter queue.
        (Some(Outcome::Confirmed), Some("CONFIRMED"))
        | (Some(Outcome::Cancelled), Some("CANCELLED"))
        | (Some(Outcome::Rejected), Some("REJECTED"))
        | (Some(Outcome::Failed), Some("FAILED" | "PLACED" | "CANCELLED" | "CONFIRMED") | None)
        | (None, None) => return None,
        (Some(Outcome::Confirmed), _) => "was reported as confirmed",
        (Some(Outcome::Cancelled), _) => "was reported as cancelled",
        (Some(Outcome::Rejected), _) => "was reported as rejected",
        (Some(Outcome::Failed), _) => "was reported as failed",
        (None, Some(_)) if state.accepted > 0 && !to_the_end => return None,
        (None, Some(_)) if state.accepted > 0 => "was accepted and never reported",
        (None, Some(_)) => return None,
    };
    let found =
        found.map_or_else(|| "the table does not have it".to_owned(), |status| format!("the table says {status}"));
    Some(format!("{measured}, and {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(accepted: u8, outcome: Option<Outcome>) -> OrderState {
        OrderState { sent: 1, accepted, outcome, ..OrderState::default() }
    }

    #[test]
    fn agrees_where_the_table_says_what_was_reported() {
        for (state, found) in [
            (state(1, Some(Outcome::Confirmed)), Some("CONFIRMED")),
            (state(1, Some(Outcome::Cancelled)), Some("CANCELLED")),
            (state(1, Some(Outcome::Rejected)), Some("REJECTED")),
            (state(1, Some(Outcome::Failed)), Some("CONFIRMED")),
            (state(1, Some(Outcome::Failed)), None),
            (state(0, None), None),
            (state(1, None), None),
            (OrderState { in_doubt: true, ..state(0, None) }, Some("CONFIRMED")),
        ] {
            assert_eq!(mismatch(&state, found, true), None, "{state:?}");
        }
    }

    #[test]
    fn tells_what_is_lost_and_what_should_not_be_there() {
        let found_for = |state, found| mismatch(&state, found, true).expect("they do not go together");

        assert_eq!(
            found_for(state(1, Some(Outcome::Confirmed)), None),
            "was reported as confirmed, and the table does not have it"
        );
        assert_eq!(found_for(state(0, None), Some("CONFIRMED")), "was refused, and the table says CONFIRMED");
        assert_eq!(
            found_for(state(1, None), Some("CONFIRMED")),
            "was accepted and never reported, and the table says CONFIRMED"
        );
    }

    #[test]
    fn an_interrupted_run_says_nothing_of_orders_on_their_way() {
        assert_eq!(mismatch(&state(1, None), Some("CONFIRMED"), false), None);
    }
}
