//! `twolane redrive`: moves messages back to the orders queue and waits for the outcome of their orders.

use super::{
    settle::{Fate, Waiting},
    table,
};
use crate::{
    cli::RedriveArgs,
    output::{Output, Results},
    progress::{Progress, tell},
};
use anyhow::Context;
use serde::Serialize;
use std::{collections::HashSet, process::ExitCode, time::Duration};
use twolane_client::dead_letters::{
    finding::Finding,
    letter::{Oddity, messages},
    move_task::{self, Moved},
    queue::HOLD,
    resend::{Resend, Resent},
    site::Site,
};
use twolane_client::{orders_table::OrderKey, signals::Interruption};

/// One message. Every field is always there; `null` where it does not apply or is not known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    /// In the dead-letter queue: a message that is moved gets a new id.
    message_id: &'a str,
    /// In lower case; as the caller gave it where it is no UUID.
    order_id: Option<String>,
    owner: Option<&'a str>,
    /// Whether it is in the orders queue again; `null` when that cannot be told.
    moved: Option<bool>,
    /// How its order stood before.
    status_before: Option<&'a str>,
    /// `CONFIRMED` or `REJECTED`; `FAILED` when it failed again, or still; `PENDING` when there is no outcome yet;
    /// `null` when it is no order.
    status: Option<&'a str>,
    /// Why it was rejected, or why there is no outcome.
    reason: Option<&'a str>,
    /// Deliveries that the order took since it was moved.
    attempts: Option<u32>,
}

/// A message and what became of it.
struct Redriven {
    finding: Finding,
    /// `None` when it cannot be told.
    moved: Option<bool>,
    /// `None` when it is no order, or was not moved.
    fate: Option<Fate>,
}

/// How the moving went.
#[derive(Default)]
struct Moving {
    /// Ids of messages that were moved.
    moved: HashSet<String>,
    /// Ids of messages that are in the dead-letter queue still, moved or not.
    left: HashSet<String>,
    /// What went wrong.
    trouble: Option<anyhow::Error>,
}

impl Moving {
    fn is_moved(&self, id: &str) -> Option<bool> {
        let (moved, left) = (self.moved.contains(id), self.left.contains(id));
        (moved || left).then_some(moved)
    }
}

/// Runs the command. An error means that nothing was moved.
pub(crate) async fn run(args: RedriveArgs) -> anyhow::Result<ExitCode> {
    let site = Site::find(&args.stack.address(), tell).await?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    let found = site.dead_letters.look(usize::MAX, false, Some(&interruption)).await?;
    if let Some(signal) = interruption.signal() {
        tell(&format!("Interrupted ({}). Nothing was moved.", signal.name()));
        return Ok(ExitCode::from(signal.exit_code()));
    }
    if found.unseen > 0 {
        tell(&format!(
            "{} held by somebody else: not looked at, and not waited for. Try again in {} s, when what was left so is let \
             go.",
            messages(found.unseen),
            HOLD.as_secs()
        ));
    }
    let findings = chosen(site.findings(found.letters).await?, &args.orders);
    let missing = missing(&findings, &args.orders);
    for order in &missing {
        tell(&format!("No message of order {order} is in the dead-letter queue."));
    }
    let all_seen = missing.is_empty() && (found.unseen == 0 || !args.orders.is_empty());
    if findings.is_empty() {
        if !args.json {
            Output::stdout().line("Nothing to move.").context("Failed to write the result")?;
        }
        return Ok(if all_seen { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }

    tell(&format!("Moving {} back to the orders queue.", messages(findings.len())));
    let mut moving = move_back(&site, &findings, &args, &interruption).await?;
    match moving.trouble.take() {
        Some(error) if moving.moved.is_empty() && !moving.left.is_empty() => return Err(error),
        Some(error) => tell(&format!("error: {error:#}")),
        None => {}
    }
    let redriven = outcomes(&site, findings, moving, &args, &interruption).await;
    let are_written = write(&redriven, args.json);
    Ok(match interruption.signal() {
        Some(signal) => {
            tell(&format!("Interrupted ({}). What was moved stays moved.", signal.name()));
            ExitCode::from(signal.exit_code())
        }
        None if are_written && all_seen && redriven.iter().all(Redriven::is_settled) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// All of them, or those of the orders that were named.
fn chosen(findings: Vec<Finding>, orders: &[String]) -> Vec<Finding> {
    let is_chosen = |finding: &Finding| {
        orders.is_empty() || finding.letter.order().is_some_and(|order| orders.contains(&order.order_id))
    };
    findings.into_iter().filter(is_chosen).collect()
}

fn missing<'a>(findings: &[Finding], orders: &'a [String]) -> Vec<&'a String> {
    let found: HashSet<_> = findings.iter().filter_map(|finding| Some(finding.letter.order()?.order_id)).collect();
    orders.iter().filter(|order| !found.contains(*order)).collect()
}

/// Moves the messages, all by SQS itself where it can.
///
/// # Errors
/// AWS refuses: nothing was moved.
async fn move_back(
    site: &Site,
    findings: &[Finding],
    args: &RedriveArgs,
    interruption: &Interruption,
) -> anyhow::Result<Moving> {
    let ids: HashSet<String> = findings.iter().map(|finding| finding.letter.message_id().to_owned()).collect();
    let progress = Progress::new(ids.len(), "messages moved");
    let task = if args.orders.is_empty() {
        move_task::move_all(&site.dead_letters, args.max_per_second, interruption, |now| progress.set(now)).await
    } else {
        Ok(Moved::Unavailable)
    };
    let moving = match task {
        Ok(Moved::Completed(count)) if count >= ids.len() => Ok(Moving { moved: ids, ..Moving::default() }),
        Ok(Moved::Completed(_) | Moved::Cancelled) => Ok(look_what_moved(site, ids, None).await),
        Ok(Moved::Lost(error)) => Ok(look_what_moved(site, ids, Some(error)).await),
        Ok(Moved::Unavailable) => {
            let (from, to) = (&site.dead_letters, site.orders_queue_url.as_str());
            let resend = Resend { from, to, max_per_second: args.max_per_second, interruption };
            let Resent { moved, undeleted, result } = resend.move_back(&ids, |more| progress.advance_by(more)).await;
            let left = ids.difference(&moved).cloned().chain(undeleted).collect();
            Ok(Moving { moved, left, trouble: result.err() })
        }
        Err(error) => Err(error),
    };
    progress.clear();
    moving
}

/// After a task that did not move all, or of which that is not known: what is there still was not moved. Looks to the
/// end, whatever signal there was.
async fn look_what_moved(site: &Site, ids: HashSet<String>, trouble: Option<anyhow::Error>) -> Moving {
    match site.dead_letters.look(usize::MAX, false, None).await {
        Ok(found) => {
            let there: HashSet<_> = found.letters.iter().map(|letter| letter.message_id().to_owned()).collect();
            let (left, moved) = ids.into_iter().partition(|id| there.contains(id));
            Moving { moved, left, trouble }
        }
        Err(error) => {
            let trouble = trouble.unwrap_or_else(|| error.context("Which messages were moved cannot be told"));
            Moving { trouble: Some(trouble), ..Moving::default() }
        }
    }
}

/// Waits for the orders of the messages that were moved, or may have been.
async fn outcomes(
    site: &Site,
    findings: Vec<Finding>,
    moving: Moving,
    args: &RedriveArgs,
    interruption: &Interruption,
) -> Vec<Redriven> {
    let is_moved = |finding: &Finding| moving.is_moved(finding.letter.message_id());
    let awaited = findings.iter().filter(|finding| is_moved(finding) != Some(false));
    let orders: HashSet<OrderKey> = awaited.filter_map(|finding| finding.letter.order()).collect();
    let patience = Duration::from_secs(args.timeout);
    if !orders.is_empty() && args.timeout > 0 {
        tell(&format!("Waiting up to {} s for the outcome of {}.", args.timeout, crate::summary::orders(orders.len())));
    }
    let waiting = Waiting { site, interruption, left: moving.left.clone() };
    let fates = waiting.wait(orders, patience).await;
    let redriven = |finding: Finding| {
        let moved = is_moved(&finding);
        let order = finding.letter.order().filter(|_| moved != Some(false));
        let fate = order.map(|order| fates.get(&order).cloned().unwrap_or(Fate::Open));
        Redriven { finding, moved, fate }
    };
    findings.into_iter().map(redriven).collect()
}

impl Redriven {
    fn status(&self) -> Option<&str> {
        match &self.fate {
            Some(Fate::Settled(record)) => Some(&record.status),
            Some(Fate::FailedAgain) => Some("FAILED"),
            Some(Fate::Open) => Some("PENDING"),
            None => self.finding.status(),
        }
    }

    fn reason(&self) -> Option<String> {
        match &self.fate {
            Some(Fate::Settled(record)) => record.reason.clone(),
            Some(Fate::FailedAgain) => {
                Some("failed all its deliveries again; it is back in the dead-letter queue".into())
            }
            Some(Fate::Open) => Some("no outcome so far; `twolane dlq` shows whether it fails again".into()),
            None if self.moved == Some(false) => Some("not moved: it is in the dead-letter queue still".into()),
            None => self.finding.letter.oddity().map(|oddity| match oddity {
                Oddity::Stray(why) => format!("{why}; it will be back in the dead-letter queue"),
                Oddity::Refused(why) => format!("{why}; it is refused, and its owner told"),
            }),
        }
    }

    fn attempts(&self) -> Option<u32> {
        match &self.fate {
            Some(Fate::Settled(record)) => record.attempts,
            _ => None,
        }
    }

    fn is_settled(&self) -> bool {
        matches!(self.fate, Some(Fate::Settled(_))) || self.is_refused()
    }

    /// Moved, and of an order that the worker refuses for its id, without a record.
    fn is_refused(&self) -> bool {
        self.moved == Some(true) && matches!(self.finding.letter.oddity(), Some(Oddity::Refused(_)))
    }

    fn json(&self) -> String {
        let letter = &self.finding.letter;
        let reason = self.reason();
        let report = Report {
            message_id: letter.message_id(),
            order_id: letter.shown_order_id(),
            owner: letter.owner(),
            moved: self.moved,
            status_before: self.finding.status(),
            status: self.status(),
            reason: reason.as_deref(),
            attempts: self.attempts(),
        };
        serde_json::to_string(&report).expect("a report has only string keys, so it is always JSON")
    }

    fn row(&self) -> [String; 5] {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        [
            or_unknown(self.finding.letter.shown_order_id()),
            or_unknown(self.finding.status().map(str::to_owned)),
            or_unknown(self.status().map(str::to_owned)),
            or_unknown(self.attempts().map(|attempts| attempts.to_string())),
            self.reason().unwrap_or_default(),
        ]
    }
}

/// Writes what became of the messages; whether all of it could be written to standard output.
fn write(redriven: &[Redriven], json: bool) -> bool {
    let mut results = Results::stdout(if json { "redrive.jsonl" } else { "redrive.txt" });
    if json {
        for redriven in redriven {
            results.line(&redriven.json());
        }
    } else {
        let rows: Vec<_> = redriven.iter().map(Redriven::row).collect();
        let drawn = table::draw(["order", "was", "is", "deliveries", "reason"], &rows);
        results.line(&format!("{drawn}\n\n{}", summary(redriven)));
    }
    if !results.are_written() {
        tell(&summary(redriven));
    }
    results.are_written()
}

/// How many messages came to what.
fn summary(redriven: &[Redriven]) -> String {
    let count = |holds: &dyn Fn(&Redriven) -> bool| redriven.iter().filter(|redriven| holds(redriven)).count();
    let settled_as =
        |status: &'static str| move |redriven: &Redriven| redriven.is_settled() && redriven.status() == Some(status);
    let counts = [
        (count(&settled_as("CONFIRMED")), "confirmed"),
        (count(&settled_as("REJECTED")), "rejected"),
        (count(&|redriven| redriven.fate == Some(Fate::FailedAgain)), "failed again"),
        (count(&|redriven| redriven.fate == Some(Fate::Open)), "without an outcome yet"),
        (count(&Redriven::is_refused), "refused for its order id"),
        (
            count(&|redriven| redriven.moved != Some(false) && redriven.fate.is_none() && !redriven.is_refused()),
            "no order",
        ),
        (count(&|redriven| redriven.moved == Some(false)), "not moved"),
    ];
    let told = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("{}: {}", messages(redriven.len()), told.collect::<Vec<_>>().join(", "))
}
