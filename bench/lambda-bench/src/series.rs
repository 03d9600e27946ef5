//! Runs the measurements. Subjects take turns.

use crate::backend::{Backend, Behaviour};
use crate::counts::{self, Counts};
use crate::events::{CONNECT, WHOLE_BATCH};
use crate::records::{Records, Written};
use crate::sample::{self, Sample};
use crate::size;
use crate::subject::{HELLO_FLOOR, SDK_FLOOR, Subject};
use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The stand-in's delay in the series about round trips.
const ROUND_TRIP: Duration = Duration::from_millis(5);

/// Every n-th write, in the series about throttling.
const THROTTLE_EVERY: u64 = 7;

/// Starts of each subject, and warm invocations of each, in the series about round trips and throttling.
const DELAYED: (u32, u32) = (5, 40);

pub(crate) struct Effort {
    /// Starts per subject.
    pub(crate) rounds: u32,
    /// Invocations per start.
    pub(crate) warm: u32,
    pub(crate) counts: bool,
    /// For profiles of the counted instructions.
    pub(crate) profiles: Option<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) subject: Subject,
    /// In bytes, if it is a single file.
    pub(crate) archived_bytes: Option<u32>,
    /// One per round.
    pub(crate) samples: Vec<Sample>,
    /// With a delay of [`ROUND_TRIP`]: the SDK floor and whole batches.
    pub(crate) delayed: Vec<Sample>,
    /// The same with throttled writes: whole batches.
    pub(crate) throttled: Vec<Sample>,
    /// One start, with AWS behind TLS.
    pub(crate) tls: Option<Sample>,
    pub(crate) counts: Option<Counts>,
    /// Why a profile could not be written.
    pub(crate) unwritten: Option<anyhow::Error>,
}

/// Runs each function that writes once. The stand-in later returns what they wrote.
///
/// # Errors
/// A function fails or writes nothing.
pub(crate) async fn record(project: &[Subject], folder: &Path) -> anyhow::Result<Arc<Records>> {
    let backend = Backend::start(Behaviour::default(), &Arc::default()).await?;
    let written_by = async |name: &str| {
        let subject = project.iter().find(|one| one.name == name).with_context(|| format!("{name} is missing"))?;
        sample::take(subject, &backend, 0, folder).await?;
        backend.received().newest_item().with_context(|| format!("{name} wrote no item"))
    };
    let connect: Value = serde_json::from_str(CONNECT)?;
    let connection_id = connect["requestContext"]["connectionId"].as_str().context("the event has a connection id")?;
    Ok(Arc::new(Records::new(Written {
        order: written_by("create-order").await?,
        placed_order: written_by("settle-order").await?,
        payment: written_by("create-payment").await?,
        connection: written_by("manage-connections").await?,
        connection_id: connection_id.to_owned(),
    })))
}

/// Each subject has one turn in each round, so that other load on the machine affects all equally.
///
/// # Errors
/// A subject fails.
pub(crate) async fn measure(
    subjects: Vec<Subject>,
    records: &Arc<Records>,
    effort: &Effort,
    folder: &Path,
) -> anyhow::Result<Vec<Measured>> {
    let mut measured = unmeasured(subjects, folder)?;
    let backend = Backend::start(Behaviour::default(), records).await?;
    take_turns(&mut measured, &backend, effort, folder).await?;
    if measured.iter().any(Measured::is_whole_batch) {
        let delayed = Behaviour { delay: ROUND_TRIP, ..Behaviour::default() };
        let throttled = Behaviour { throttle_every: Some(THROTTLE_EVERY), ..delayed };
        for one in measured.iter_mut().filter(|one| one.is_whole_batch() || one.subject.name == SDK_FLOOR) {
            one.delayed = series(&one.subject, delayed, records, folder).await?;
            if one.is_whole_batch() {
                one.throttled = series(&one.subject, throttled, records, folder).await?;
            }
        }
    }
    let tls = Backend::start(Behaviour { tls: true, ..Behaviour::default() }, records).await?;
    for one in measured.iter_mut().filter(|one| one.subject.name != HELLO_FLOOR) {
        progress(&format!("TLS: {}", one.subject.name));
        one.tls = Some(sample::take(&one.subject, &tls, 1, folder).await?);
    }
    if effort.counts {
        for one in measured.iter_mut().filter(|one| one.subject.command.len() == 1) {
            progress(&format!("counting instructions and system calls: {}", one.subject.name));
            let (counts, written) = counts::count(&one.subject, &backend, folder, effort.profiles.as_deref()).await?;
            (one.counts, one.unwritten) = (Some(counts), written.err());
        }
    }
    progress("");
    Ok(measured)
}

/// Measures the times and the memory of the SDK floor and of some subjects again, with new copies of their bootstraps.
///
/// # Errors
/// A subject fails.
pub(crate) async fn measure_again(
    measured: &[Measured],
    is_chosen: impl Fn(&str) -> bool,
    records: &Arc<Records>,
    effort: &Effort,
    folder: &Path,
) -> anyhow::Result<Vec<Measured>> {
    let subjects = measured.iter().map(|one| &one.subject);
    let subjects = subjects.filter(|subject| subject.name == SDK_FLOOR || is_chosen(&subject.name)).cloned();
    let mut again = unmeasured(subjects.collect(), folder)?;
    let backend = Backend::start(Behaviour::default(), records).await?;
    take_turns(&mut again, &backend, effort, folder).await?;
    progress("");
    Ok(again)
}

fn unmeasured(subjects: Vec<Subject>, folder: &Path) -> anyhow::Result<Vec<Measured>> {
    let mut measured: Vec<Measured> = Vec::new();
    for mut subject in subjects {
        // A script's archive lacks the interpreter, so its size is not comparable.
        let archived_bytes = match subject.command.as_mut_slice() {
            [file] => {
                *file = copied(file, folder)?;
                Some(size::archived_bytes(file)?)
            }
            _ => None,
        };
        let (samples, delayed, throttled) = (Vec::new(), Vec::new(), Vec::new());
        measured.push(Measured {
            subject,
            archived_bytes,
            samples,
            delayed,
            throttled,
            tls: None,
            counts: None,
            unwritten: None,
        });
    }
    Ok(measured)
}

async fn take_turns(
    measured: &mut [Measured],
    backend: &Backend,
    effort: &Effort,
    folder: &Path,
) -> anyhow::Result<()> {
    let (mut turns, mut random) = ((0..measured.len()).collect::<Vec<_>>(), fastrand::Rng::with_seed(1));
    for round in 1..=effort.rounds {
        // The previous process affects the caches, so the order varies.
        random.shuffle(&mut turns);
        for turn in &turns {
            let one = &mut measured[*turn];
            progress(&format!("round {round} of {}: {}", effort.rounds, one.subject.name));
            one.samples.push(sample::take(&one.subject, backend, effort.warm, folder).await?);
        }
    }
    Ok(())
}

/// Copies a bootstrap, as Lambda unpacks an archive. The linker's file has another layout in the page cache, and starts
/// a sixth slower.
fn copied(file: &str, folder: &Path) -> anyhow::Result<String> {
    let name = Path::new(file).file_name().with_context(|| format!("{file} is not a file"))?;
    let mut copy = folder.join(name);
    // All have the name bootstrap.
    while copy.exists() {
        copy.as_mut_os_string().push("-");
    }
    fs::copy(file, &copy).with_context(|| format!("Failed to copy {file} to {}", copy.display()))?;
    Ok(copy.to_string_lossy().into_owned())
}

async fn series(
    subject: &Subject,
    behaviour: Behaviour,
    records: &Arc<Records>,
    folder: &Path,
) -> anyhow::Result<Vec<Sample>> {
    let backend = Backend::start(behaviour, records).await?;
    let mut samples = Vec::new();
    let throttled = if behaviour.throttle_every.is_some() { ", writes throttled" } else { "" };
    for round in 1..=DELAYED.0 {
        progress(&format!("{ROUND_TRIP:?} a round trip{throttled}, round {round} of {}: {}", DELAYED.0, subject.name));
        samples.push(sample::take(subject, &backend, DELAYED.1, folder).await?);
    }
    Ok(samples)
}

pub(crate) fn progress(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = if stderr.is_terminal() { write!(stderr, "\r\x1b[K{text}") } else { writeln!(stderr, "{text}") };
    let _ = stderr.flush();
}

impl Measured {
    pub(crate) fn is_whole_batch(&self) -> bool {
        self.subject.name == WHOLE_BATCH
    }

    /// Requests to AWS in a warm invocation by operation, per order.
    pub(crate) fn requests_per_order(&self) -> BTreeMap<String, f64> {
        let invocations: usize = self.samples.iter().map(|sample| sample.warm.len()).sum();
        let orders = float(invocations as u64) * f64::from(self.subject.orders);
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for (name, count) in self.samples.iter().flat_map(|sample| &sample.in_warm.requests) {
            *sums.entry(name.clone()).or_default() += float(*count) / orders;
        }
        sums
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Between two values, their mean. `None` without values.
pub(crate) fn percentile(mut values: Vec<f64>, per_cent: usize) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let (below, above) = (last * per_cent / 100, (last * per_cent).div_ceil(100));
    Some(f64::midpoint(values[below], values[above]))
}
