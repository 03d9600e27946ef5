//! `twolane redrive`: moves messages back to their queues and waits for the outcome of their orders.

use super::{
    args::RedriveArgs,
    moving::{Moving, move_back},
    redriven::{Redriven, write},
    settle::{Awaited, RedriveResult, Waiting},
};
use crate::{output::Output, progress::say};
use anyhow::Context;
use lanes::QueueKind;
use std::{
    collections::{HashMap, HashSet},
    process::ExitCode,
    time::Duration,
};
use twolane_client::dead_letters::{
    dead_letter::messages,
    of_stack::DeadLetters,
    queue::{Found, HOLD},
    with_record::DeadLetterWithRecord,
};
use twolane_client::signals::Interruption;

/// An error means that nothing was moved.
pub(crate) async fn run(args: RedriveArgs) -> anyhow::Result<ExitCode> {
    let stack = DeadLetters::find(&args.stack.address(), args.queue, say).await?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    let mut found = Found::default();
    for queue in &stack.queues {
        let more = queue.look(usize::MAX, false, Some(&interruption)).await?;
        found.dead_letters.extend(more.dead_letters);
        found.unseen += more.unseen;
    }
    if let Some(signal) = interruption.signal() {
        say(&format!("Interrupted ({}). Nothing was moved.", signal.name()));
        return Ok(ExitCode::from(signal.exit_code()));
    }
    if found.unseen > 0 {
        say(&format!(
            "{} not seen: another reader holds them. Try again in {} s.",
            messages(found.unseen),
            HOLD.as_secs()
        ));
    }
    let dead_letters = chosen(stack.with_records(found.dead_letters).await?, &args.orders);
    let missing = missing(&dead_letters, &args.orders);
    for order in &missing {
        let place = if stack.queues.len() == 1 { "the dead-letter queue" } else { "a dead-letter queue" };
        say(&format!("Found no message of order {order} in {place}."));
    }
    let all_seen = missing.is_empty() && (found.unseen == 0 || !args.orders.is_empty());
    if dead_letters.is_empty() {
        if !args.json {
            Output::stdout().line("Nothing to move.").context("Failed to write the result")?;
        }
        return Ok(if all_seen { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }

    let mut moving = move_back(&stack, &dead_letters, &args, &interruption).await;
    match moving.error.take() {
        Some(error) if moving.moved.is_empty() && !moving.left.is_empty() => return Err(error),
        Some(error) => say(&format!("error: {error:#}")),
        None => {}
    }
    let redriven = outcomes(&stack, dead_letters, moving, &args, &interruption).await;
    let are_written = write(&redriven, args.json);
    Ok(match interruption.signal() {
        Some(signal) => {
            say(&format!("Interrupted ({}). Moved messages stay moved.", signal.name()));
            ExitCode::from(signal.exit_code())
        }
        None if are_written && all_seen && redriven.iter().all(Redriven::is_settled) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// All, or those of the named orders.
fn chosen(dead_letters: Vec<DeadLetterWithRecord>, orders: &[String]) -> Vec<DeadLetterWithRecord> {
    let is_chosen = |dead_letter: &DeadLetterWithRecord| {
        orders.is_empty() || dead_letter.message.order().is_some_and(|order| orders.contains(&order.order_id))
    };
    dead_letters.into_iter().filter(is_chosen).collect()
}

fn missing<'a>(dead_letters: &[DeadLetterWithRecord], orders: &'a [String]) -> Vec<&'a String> {
    let found: HashSet<_> =
        dead_letters.iter().filter_map(|dead_letter| Some(dead_letter.message.order()?.order_id)).collect();
    orders.iter().filter(|order| !found.contains(*order)).collect()
}

/// Waits for messages that were moved, or may have been.
async fn outcomes(
    stack: &DeadLetters,
    dead_letters: Vec<DeadLetterWithRecord>,
    moving: Moving,
    args: &RedriveArgs,
    interruption: &Interruption,
) -> Vec<Redriven> {
    let is_moved = |dead_letter: &DeadLetterWithRecord| moving.is_moved(dead_letter.message.message_id());
    // A decided order's deadline only repeats the decision, and its queue delays it for minutes.
    let is_overtaken = |dead_letter: &DeadLetterWithRecord| {
        dead_letter.is_of_decided_order() && dead_letter.message.queue().kind == QueueKind::Timer
    };
    let moved: Vec<_> = dead_letters
        .iter()
        .filter(|dead_letter| is_moved(dead_letter) != Some(false) && !is_overtaken(dead_letter))
        .collect();
    let awaited: HashSet<_> =
        moved.iter().filter_map(|dead_letter| Awaited::for_dead_letter(&dead_letter.message)).collect();
    let decided: HashMap<_, _> = moved
        .iter()
        .filter(|dead_letter| dead_letter.is_of_decided_order())
        .filter_map(|dead_letter| Some((Awaited::for_dead_letter(&dead_letter.message)?, dead_letter.record.clone()?)))
        .collect();
    if !awaited.is_empty() && args.timeout > 0 {
        let orders: HashSet<_> =
            awaited.iter().filter(|message| !decided.contains_key(*message)).map(|message| &message.order).collect();
        let orders = (!orders.is_empty()).then(|| format!("the outcome of {}", crate::summary::orders(orders.len())));
        let events = (!decided.is_empty())
            .then(|| format!("events of {} with an outcome", crate::summary::orders(decided.len())));
        let what: Vec<_> = orders.into_iter().chain(events).collect();
        say(&format!("Waiting up to {} s for {}.", args.timeout, what.join(" and ")));
    }
    let waiting = Waiting { stack, interruption, left: moving.left.clone(), decided };
    let results = waiting.wait(awaited, Duration::from_secs(args.timeout)).await;
    let redriven = |dead_letter: DeadLetterWithRecord| {
        let moved = is_moved(&dead_letter);
        let message = Awaited::for_dead_letter(&dead_letter.message).filter(|_| moved != Some(false));
        let result = message.map(|message| match &dead_letter.record {
            Some(record) if is_overtaken(&dead_letter) => RedriveResult::Settled(record.clone()),
            _ => results.get(&message).cloned().unwrap_or(RedriveResult::Open),
        });
        Redriven { dead_letter, moved, result }
    };
    dead_letters.into_iter().map(redriven).collect()
}
