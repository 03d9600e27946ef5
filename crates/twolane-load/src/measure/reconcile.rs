//! Compares the lane's counts with the orders table.

use super::lane::HttpLane;
use super::tally::{OrderState, OutcomeKind};
use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use twolane_client::orders_table::{OrderKey, OrdersTable};
use twolane_report::model::Reconciliation;

/// Orders looked up in one request. Source: Amazon DynamoDB API Reference, `BatchGetItem`.
const BATCH: usize = 100;

const AT_ONCE: usize = 8;

const MAX_LISTED: usize = 20;

/// Looks up every sent order, warm-up included, and compares. Orders may still be in progress if the run did not wait
/// `to_the_end`.
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
        .context("The counts were not compared with the orders table")?;
    let differences = mismatches.len() as u64;
    mismatches.truncate(MAX_LISTED);
    Ok(Reconciliation { checked, stored, differences, mismatches })
}

/// The number of stored orders, and the differences.
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

/// How an order and its record contradict each other.
fn mismatch(state: &OrderState, found: Option<&str>, to_the_end: bool) -> Option<String> {
    let measured = match (state.outcome, found) {
        (_, Some(_)) if state.accepted == 0 && !state.in_doubt => "was refused",
        // A later delivery may settle a failed order. A database that refused the last delivery may also have refused
        // to record the failure: the message is a dead letter.
        (Some(OutcomeKind::Confirmed), Some("CONFIRMED"))
        | (Some(OutcomeKind::Cancelled), Some("CANCELLED"))
        | (Some(OutcomeKind::Rejected), Some("REJECTED"))
        | (Some(OutcomeKind::Failed), Some("FAILED" | "PLACED" | "CANCELLED" | "CONFIRMED") | None)
        | (None, None) => return None,
        (Some(OutcomeKind::Confirmed), _) => "was reported as confirmed",
        (Some(OutcomeKind::Cancelled), _) => "was reported as cancelled",
        (Some(OutcomeKind::Rejected), _) => "was reported as rejected",
        (Some(OutcomeKind::Failed), _) => "was reported as failed",
        (None, Some(_)) if state.accepted > 0 && !to_the_end => return None,
        (None, Some(_)) if state.accepted > 0 => "was accepted but never reported",
        (None, Some(_)) => return None,
    };
    let found =
        found.map_or_else(|| "the table has no record of it".to_owned(), |status| format!("the table says {status}"));
    Some(format!("{measured}, and {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(accepted: u8, outcome: Option<OutcomeKind>) -> OrderState {
        OrderState { sent: 1, accepted, outcome, ..OrderState::default() }
    }

    #[test]
    fn accepts_records_that_match_the_reports() {
        for (state, found) in [
            (state(1, Some(OutcomeKind::Confirmed)), Some("CONFIRMED")),
            (state(1, Some(OutcomeKind::Cancelled)), Some("CANCELLED")),
            (state(1, Some(OutcomeKind::Rejected)), Some("REJECTED")),
            (state(1, Some(OutcomeKind::Failed)), Some("CONFIRMED")),
            (state(1, Some(OutcomeKind::Failed)), None),
            (state(0, None), None),
            (state(1, None), None),
            (OrderState { in_doubt: true, ..state(0, None) }, Some("CONFIRMED")),
        ] {
            assert_eq!(mismatch(&state, found, true), None, "{state:?}");
        }
    }

    #[test]
    fn reports_missing_and_unexpected_records() {
        let found_for = |state, found| mismatch(&state, found, true).expect("they contradict each other");

        assert_eq!(
            found_for(state(1, Some(OutcomeKind::Confirmed)), None),
            "was reported as confirmed, and the table has no record of it"
        );
        assert_eq!(found_for(state(0, None), Some("CONFIRMED")), "was refused, and the table says CONFIRMED");
        assert_eq!(
            found_for(state(1, None), Some("CONFIRMED")),
            "was accepted but never reported, and the table says CONFIRMED"
        );
    }

    #[test]
    fn an_interrupted_run_accepts_unreported_orders() {
        assert_eq!(mismatch(&state(1, None), Some("CONFIRMED"), false), None);
    }
}
