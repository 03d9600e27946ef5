//! `twolane redrive`: moves messages back to the orders queue and waits for the outcome of their orders.

use super::{
    dlq::messages,
    finding::Finding,
    letter::OrderKey,
    move_task::{self, Moved},
    resend::Resend,
    settle::{self, Fate},
    site::Site,
    table,
};
use crate::{
    cli::RedriveArgs,
    output::Output,
    progress::{Progress, tell},
    signals::Interruption,
};
use anyhow::Context;
use serde::Serialize;
use std::{
    collections::{HashMap, HashSet},
    process::ExitCode,
    time::Duration,
};

/// One message. Every field is always there; `null` where it does not apply or is not known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    /// In the dead-letter queue: a message that is moved gets a new id.
    message_id: &'a str,
    /// As the caller gave it.
    order_id: Option<&'a str>,
    owner: Option<&'a str>,
    /// Whether it is in the orders queue again.
    moved: bool,
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
    moved: bool,
    /// `None` when it is no order, or was not moved.
    fate: Option<Fate>,
}

/// Runs the command. An error means that nothing was moved.
pub(crate) async fn run(args: RedriveArgs) -> anyhow::Result<ExitCode> {
    let site = Site::find(&args.stack).await?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    let found = site.dead_letters.look(usize::MAX, false, &interruption).await?;
    if let Some(signal) = interruption.signal() {
        tell(&format!("Interrupted ({}). Nothing was moved.", signal.name()));
        return Ok(ExitCode::from(signal.exit_code()));
    }
    if found.unseen > 0 {
        tell(&format!("{} held by somebody else at the moment: not looked at.", messages(found.unseen)));
    }
    let findings = chosen(site.findings(found.letters).await?, &args.orders);
    let missing = missing(&findings, &args.orders);
    for order in &missing {
        tell(&format!("No message of order {order} is in the dead-letter queue."));
    }
    if findings.is_empty() {
        let code = if missing.is_empty() && found.unseen == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if !args.json {
            Output::stdout().line("Nothing to move.").context("Failed to write the result")?;
        }
        return Ok(code);
    }

    tell(&format!("Moving {} back to the orders queue.", messages(findings.len())));
    let (moved, moving) = move_back(&site, &findings, &args, &interruption).await;
    if moved.is_empty() {
        moving?;
    } else if let Err(error) = moving {
        tell(&format!("error: {error:#}"));
    }
    let redriven = outcomes(&site, findings, &moved, &args, &interruption).await;
    let written = write(&redriven, args.json);
    if let Err(error) = &written {
        tell(&format!("error: Failed to write the result: {error}"));
    }
    Ok(match interruption.signal() {
        Some(signal) => {
            tell(&format!("Interrupted ({}). What was moved stays moved.", signal.name()));
            ExitCode::from(signal.exit_code())
        }
        None if written.is_ok() && missing.is_empty() && redriven.iter().all(Redriven::is_settled) => ExitCode::SUCCESS,
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

/// The ids of the messages that were moved, and what went wrong, if anything did.
async fn move_back(
    site: &Site,
    findings: &[Finding],
    args: &RedriveArgs,
    interruption: &Interruption,
) -> (HashSet<String>, anyhow::Result<()>) {
    let ids: HashSet<String> = findings.iter().map(|finding| finding.letter.message_id().to_owned()).collect();
    let progress = Progress::new(ids.len(), "messages moved");
    let show = |now| progress.set(now);
    let result = if args.orders.is_empty() {
        move_task::move_all(&site.dead_letters, args.max_per_second, interruption, show).await
    } else {
        Ok(Moved::Unavailable)
    };
    let result = match result {
        Ok(Moved::All) => (ids, Ok(())),
        Ok(Moved::Some) => (gone(site, ids, interruption).await, Ok(())),
        Ok(Moved::Unavailable) => {
            let (from, to) = (&site.dead_letters, site.orders_queue_url.as_str());
            let resend = Resend { from, to, max_per_second: args.max_per_second, interruption };
            resend.move_back(&ids, |more| progress.advance_by(more)).await
        }
        Err(error) => (HashSet::new(), Err(error)),
    };
    progress.clear();
    result
}

/// Those of the ids that are in the dead-letter queue no more.
async fn gone(site: &Site, ids: HashSet<String>, interruption: &Interruption) -> HashSet<String> {
    let found = site.dead_letters.look(usize::MAX, false, interruption).await;
    let left: HashSet<_> =
        found.map(|found| found.letters).unwrap_or_default().iter().map(|l| l.message_id().to_owned()).collect();
    ids.difference(&left).cloned().collect()
}

/// Waits for the orders of the messages that were moved.
async fn outcomes(
    site: &Site,
    findings: Vec<Finding>,
    moved: &HashSet<String>,
    args: &RedriveArgs,
    interruption: &Interruption,
) -> Vec<Redriven> {
    let is_moved = |finding: &Finding| moved.contains(finding.letter.message_id());
    let orders: HashSet<OrderKey> =
        findings.iter().filter(|finding| is_moved(finding)).filter_map(|finding| finding.letter.order()).collect();
    let patience = Duration::from_secs(args.timeout);
    if !orders.is_empty() && args.timeout > 0 {
        tell(&format!("Waiting up to {} s for the outcome of {}.", args.timeout, crate::summary::orders(orders.len())));
    }
    let fates = settle::wait(site, orders, patience, interruption).await.unwrap_or_else(|error| {
        tell(&format!("error: The messages are moved, and what became of them cannot be told: {error:#}"));
        HashMap::new()
    });
    let redriven = |finding: Finding| {
        let moved = is_moved(&finding);
        let order = finding.letter.order().filter(|_| moved);
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
            Some(Fate::Open) => Some("no outcome in time; `twolane dlq` shows whether it failed again".into()),
            None if !self.moved => Some("not moved: it is in the dead-letter queue still".into()),
            None => self.finding.letter.oddity().map(|why| format!("{why}; it will be back in the dead-letter queue")),
        }
    }

    fn attempts(&self) -> Option<u32> {
        match &self.fate {
            Some(Fate::Settled(record)) => record.attempts,
            _ => None,
        }
    }

    fn is_settled(&self) -> bool {
        matches!(self.fate, Some(Fate::Settled(_)))
    }

    fn json(&self) -> String {
        let letter = &self.finding.letter;
        let reason = self.reason();
        let report = Report {
            message_id: letter.message_id(),
            order_id: letter.order_id(),
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
            or_unknown(self.finding.letter.order_id().map(str::to_owned)),
            or_unknown(self.finding.status().map(str::to_owned)),
            or_unknown(self.status().map(str::to_owned)),
            or_unknown(self.attempts().map(|attempts| attempts.to_string())),
            self.reason().unwrap_or_default(),
        ]
    }
}

fn write(redriven: &[Redriven], json: bool) -> std::io::Result<()> {
    let mut output = Output::stdout();
    if json {
        return redriven.iter().try_for_each(|redriven| output.line(&redriven.json()));
    }
    let rows: Vec<_> = redriven.iter().map(Redriven::row).collect();
    let drawn = table::draw(["order", "was", "is", "deliveries", "reason"], &rows);
    output.line(&format!("{drawn}\n\n{}", summary(redriven)))
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
        (count(&|redriven| redriven.moved && redriven.fate.is_none()), "no order"),
        (count(&|redriven| !redriven.moved), "not moved"),
    ];
    let told = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("{}: {}", messages(redriven.len()), told.collect::<Vec<_>>().join(", "))
}
