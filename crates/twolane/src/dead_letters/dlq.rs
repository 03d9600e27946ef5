//! `twolane dlq`: shows or deletes dead letters.

use super::args::DlqArgs;
use crate::{output::Output, progress::say, table};
use anyhow::Context;
use lanes::MessageKind;
use serde::Serialize;
use std::{collections::HashSet, process::ExitCode, time::Duration};
use time::OffsetDateTime;
use twolane_client::dead_letters::{
    dead_letter::{DeadLetter, Oddity, messages},
    of_stack::DeadLetters,
    queue::{DeadLetterQueue, Found},
    with_record::DeadLetterWithRecord,
};
use twolane_client::{signals::Interruption, timestamp::timestamp};
use twolane_report::printable;

/// Every field is always present; `null` if it does not apply or is unknown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeadLetterJson<'a> {
    queue: &'a str,
    message_id: &'a str,
    /// Such as `order.placed`; `null` in the orders queue.
    event: Option<&'a str>,
    /// In lower case; as sent if it is not a UUID.
    order_id: Option<String>,
    owner: Option<&'a str>,
    /// Such as `CONFIRMED`; `null` without a record.
    status: Option<&'a str>,
    /// Why it is a dead letter.
    reason: String,
    /// When the API accepted the order, or the event occurred: RFC 3339, UTC, milliseconds.
    accepted_at: Option<String>,
    /// Since `accepted_at`.
    age_seconds: Option<u64>,
    /// Receives in both queues.
    receive_count: Option<u32>,
    body_bytes: usize,
    /// With `--show-bodies`.
    body: Option<&'a str>,
}

const HEADING: [&str; 8] = ["queue", "event", "order", "accepted", "age", "received", "status", "reason"];

/// An error means that a queue could not be read.
pub(crate) async fn run(args: DlqArgs) -> anyhow::Result<ExitCode> {
    let stack = DeadLetters::find(&args.stack.address(), args.queue, say).await?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    if !args.delete.is_empty() {
        return delete(&stack, args.delete.into_iter().collect(), &interruption).await;
    }
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut found = Found::default();
    for queue in &stack.queues {
        let more = queue.look(limit - found.dead_letters.len(), args.show_bodies, Some(&interruption)).await?;
        found.dead_letters.extend(more.dead_letters);
        found.unseen += more.unseen;
        if let Some(signal) = interruption.signal() {
            return Ok(ExitCode::from(signal.exit_code()));
        }
    }
    let mut dead_letters = stack.with_records(found.dead_letters).await?;
    dead_letters.sort_by_key(|dead_letter| dead_letter.message.accepted_at());

    let now = OffsetDateTime::now_utc();
    let mut output = Output::stdout();
    if args.json {
        if found.unseen > 0 {
            say(&not_shown(found.unseen));
        }
        for dead_letter in &dead_letters {
            output.line(&json(dead_letter, now)).context("Failed to write the result")?;
        }
    } else {
        let text = text(&dead_letters, found.unseen, &stack.queues, now);
        output.line(&text).context("Failed to write the result")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn delete(stack: &DeadLetters, ids: HashSet<String>, interruption: &Interruption) -> anyhow::Result<ExitCode> {
    let mut deleted = HashSet::new();
    for queue in &stack.queues {
        let wanted: HashSet<_> = ids.difference(&deleted).cloned().collect();
        if !wanted.is_empty() {
            deleted.extend(queue.delete_for_good(&wanted, interruption).await?);
        }
    }
    let mut left: Vec<_> = ids.difference(&deleted).collect();
    left.sort();
    for id in &left {
        say(&format!("Not deleted: message {} is not in the queue, or another reader holds it.", printable(id)));
    }
    let text = format!("{} deleted.", messages(deleted.len()));
    let written = Output::stdout().line(&text);
    if let Err(error) = &written {
        say(&format!("{text}\nerror: Failed to write the result: {error}"));
    }
    Ok(match interruption.signal() {
        Some(signal) => ExitCode::from(signal.exit_code()),
        None if left.is_empty() && written.is_ok() => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

fn json(dead_letter: &DeadLetterWithRecord, now: OffsetDateTime) -> String {
    let message = &dead_letter.message;
    let json = DeadLetterJson {
        queue: message.queue().name,
        message_id: message.message_id(),
        event: message.event(),
        order_id: message.shown_order_id(),
        owner: message.owner(),
        status: dead_letter.status(),
        reason: dead_letter.reason(),
        accepted_at: message.accepted_at().map(timestamp),
        age_seconds: age(dead_letter, now).map(|age| age.as_secs()),
        receive_count: message.receive_count(),
        body_bytes: message.body_bytes(),
        body: message.body(),
    };
    serde_json::to_string(&json).expect("the object has only string keys, so it is always JSON")
}

fn text(
    dead_letters: &[DeadLetterWithRecord],
    unseen: usize,
    queues: &[DeadLetterQueue],
    now: OffsetDateTime,
) -> String {
    let count = messages(dead_letters.len() + unseen);
    let mut parts = vec![match queues {
        [queue] => format!("dead-letter queue · {count} · {}", queue.url),
        queues => format!("{} dead-letter queues · {count}", queues.len()),
    }];
    if !dead_letters.is_empty() {
        parts.push(table(dead_letters, queues, now));
    }
    let bodies =
        dead_letters.iter().filter_map(|dead_letter| Some((&dead_letter.message, dead_letter.message.body()?)));
    parts.extend(bodies.map(|(message, body)| format!("{}:\n{}", printable(&name(message)), printable(body))));
    if unseen > 0 {
        parts.push(not_shown(unseen));
    }
    if dead_letters.is_empty() && unseen == 0 {
        parts.push("No message has failed.".to_owned());
    }
    let is_stray = |dead_letter: &&DeadLetterWithRecord| matches!(dead_letter.message.oddity(), Some(Oddity::Stray(_)));
    let strays = dead_letters.iter().filter(is_stray).count();
    if dead_letters.len() > strays {
        parts.push("Fix what failed. Then `twolane redrive` moves the messages back to their queues.".to_owned());
    }
    if strays > 0 {
        let count = messages(strays);
        parts.push(format!("{count} not from the stack: `twolane dlq --delete MESSAGE_ID` removes one for good."));
    }
    parts.join("\n\n")
}

fn not_shown(unseen: usize) -> String {
    format!("{} not shown: beyond --limit, or held by another reader at the moment.", messages(unseen))
}

/// One row per message. Leaves out queues and events if only the orders queue is shown.
fn table(dead_letters: &[DeadLetterWithRecord], queues: &[DeadLetterQueue], now: OffsetDateTime) -> String {
    let is_named = queues.iter().any(|queue| queue.spec.messages == MessageKind::Event);
    let heading = if is_named { &HEADING[..] } else { &HEADING[2..] };
    let rows: Vec<_> = dead_letters.iter().map(|dead_letter| row(dead_letter, now)).collect();
    let rows: Vec<_> = rows.iter().map(|row| &row[HEADING.len() - heading.len()..]).collect();
    table::draw(heading, &rows)
}

fn row(dead_letter: &DeadLetterWithRecord, now: OffsetDateTime) -> [String; HEADING.len()] {
    let message = &dead_letter.message;
    let unknown = || "–".to_owned();
    [
        message.queue().name.to_owned(),
        message.event().map_or_else(unknown, str::to_owned),
        name(message),
        message.accepted_at().map_or_else(unknown, timestamp),
        age(dead_letter, now).map_or_else(unknown, age_text),
        message.receive_count().map_or_else(unknown, |count| count.to_string()),
        dead_letter.status().map_or_else(unknown, str::to_owned),
        dead_letter.reason(),
    ]
}

/// The order's id, else the message's.
fn name(message: &DeadLetter) -> String {
    match message.oddity() {
        None | Some(Oddity::Rejected(_)) => message.shown_order_id().unwrap_or_default(),
        Some(Oddity::Stray(_)) => format!("message {}", message.message_id()),
    }
}

fn age(dead_letter: &DeadLetterWithRecord, now: OffsetDateTime) -> Option<Duration> {
    // Zero if this machine's clock is behind the API's.
    Some(Duration::try_from(now - dead_letter.message.accepted_at()?).unwrap_or_default())
}

/// Its two largest units: `3 d 4 h`, `12 s`.
fn age_text(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_an_age_in_its_two_largest_units() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (125, "2 min 5 s"), (7_380, "2 h 3 min"), (273_600, "3 d 4 h")]
        {
            assert_eq!(age_text(Duration::from_secs(seconds)), text);
        }
    }
}
