//! What is measured of whom, in turns.

use crate::backend::{Backend, Manners};
use crate::counts::{self, Counts};
use crate::engine::Engine;
use crate::sample::{Sample, live};
use crate::size::{self, Size};
use crate::subject::{FLOOR, Kind, Subject, WHOLE_BATCH};
use anyhow::Context;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A database's answer takes that long in the series that are about waiting.
pub(crate) const DATABASE: Duration = Duration::from_millis(5);

/// Every so-manieth write is refused in the series about throttling.
pub(crate) const THROTTLED: u64 = 7;

/// Lives of each subject in the series about waiting, and warm invocations of each.
const WAITING: (u32, u32) = (5, 40);

/// How much is measured.
pub(crate) struct Effort {
    /// Lives of each subject.
    pub(crate) rounds: u32,
    /// Warm invocations of each life.
    pub(crate) warm: u32,
    /// Whether instructions and system calls are counted.
    pub(crate) counts: bool,
    /// Where profiles of the counted instructions go.
    pub(crate) profiles: Option<PathBuf>,
    /// The DynamoDB that is asked; the stand-in without it.
    pub(crate) engine: Option<Arc<Engine>>,
}

/// Everything that was measured of one subject.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) subject: Subject,
    pub(crate) size: Option<Size>,
    /// With a database that answers at once.
    pub(crate) samples: Vec<Sample>,
    /// With one that takes [`DATABASE`]; functions only.
    pub(crate) waiting: Vec<Sample>,
    /// The same, where it refuses one write in [`THROTTLED`]; batches only.
    pub(crate) throttled: Vec<Sample>,
    /// One life with AWS behind TLS.
    pub(crate) tls: Option<Sample>,
    pub(crate) counts: Option<Counts>,
}

/// Measures all of them; in each round each has its turn, so that whatever else the machine does meets all alike.
///
/// # Errors
/// One fails.
pub(crate) async fn measure(subjects: Vec<Subject>, effort: &Effort, folder: &Path) -> anyhow::Result<Vec<Measured>> {
    let mut measured: Vec<Measured> = Vec::new();
    for mut subject in subjects {
        let size = match subject.command.as_mut_slice() {
            [file] => {
                *file = unpacked(file, folder)?;
                Some(size::of(file)?)
            }
            // A script's size says nothing without its interpreter.
            _ => None,
        };
        let (samples, waiting, throttled) = (Vec::new(), Vec::new(), Vec::new());
        measured.push(Measured { subject, size, samples, waiting, throttled, tls: None, counts: None });
    }
    let engine = &effort.engine;
    let backend = Backend::start(Manners::default(), engine.clone()).await?;
    let (mut turns, mut random) = ((0..measured.len()).collect::<Vec<_>>(), fastrand::Rng::with_seed(1));
    for round in 1..=effort.rounds {
        // What ran just before leaves its traces in the caches: nobody always follows the same one.
        random.shuffle(&mut turns);
        for turn in &turns {
            let one = &mut measured[*turn];
            tell(&format!("round {round} of {}: {}", effort.rounds, one.subject.name));
            one.samples.push(live(&one.subject, &backend, effort.warm, folder).await?);
        }
    }
    let slow = Manners { delay: DATABASE, ..Manners::default() };
    for one in measured.iter_mut().filter(|one| one.subject.kind == Kind::Function) {
        one.waiting = lives(&one.subject, slow, engine.clone(), "database of 5 ms", folder).await?;
        if one.subject.orders > 1 {
            let throttled = Manners { throttle_every: Some(THROTTLED), ..slow };
            one.throttled =
                lives(&one.subject, throttled, engine.clone(), "one write in seven throttled", folder).await?;
        }
    }
    let tls = Backend::start(Manners { tls: true, ..Manners::default() }, engine.clone()).await?;
    for one in measured.iter_mut().filter(|one| one.subject.name != FLOOR) {
        tell(&format!("TLS: {}", one.subject.name));
        one.tls = Some(live(&one.subject, &tls, 1, folder).await?);
    }
    if effort.counts {
        // Not of whole batches: under valgrind they take so long that the worker looks sockets up again, some more, some less.
        for one in measured.iter_mut().filter(|one| one.subject.command.len() == 1 && one.subject.orders == 1) {
            tell(&format!("counting instructions and system calls: {}", one.subject.name));
            one.counts = Some(counts::count(&one.subject, &backend, folder, effort.profiles.as_deref()).await?);
        }
    }
    tell("");
    Ok(measured)
}

/// A copy of that bootstrap, as Lambda unpacks an archive: a file that a linker wrote lies differently in the page cache
/// from one that was copied, and starts a sixth slower.
fn unpacked(file: &str, folder: &Path) -> anyhow::Result<String> {
    let name = Path::new(file).file_name().with_context(|| format!("{file} is no file"))?;
    let mut copy = folder.join(name);
    // Peers may have the same name: those before, for example.
    while copy.exists() {
        copy.as_mut_os_string().push("-");
    }
    fs::copy(file, &copy).with_context(|| format!("Failed to copy {file} to {}", copy.display()))?;
    Ok(copy.to_string_lossy().into_owned())
}

async fn lives(
    subject: &Subject,
    manners: Manners,
    engine: Option<Arc<Engine>>,
    what: &str,
    folder: &Path,
) -> anyhow::Result<Vec<Sample>> {
    let backend = Backend::start(manners, engine).await?;
    let mut samples = Vec::new();
    for round in 1..=WAITING.0 {
        tell(&format!("{what}, round {round} of {}: {}", WAITING.0, subject.name));
        samples.push(live(subject, &backend, WAITING.1, folder).await?);
    }
    Ok(samples)
}

/// Progress, on one line of a terminal.
pub(crate) fn tell(what: &str) {
    use std::io::IsTerminal;
    let mut stderr = std::io::stderr().lock();
    let _ = if stderr.is_terminal() { write!(stderr, "\r\x1b[K{what}") } else { writeln!(stderr, "{what}") };
    let _ = stderr.flush();
}

/// The middle one, or between the two in the middle; zero of none.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return Duration::ZERO };
    (times[last / 2] + times[last.div_ceil(2)]) / 2
}

impl Measured {
    /// The median over all lives.
    pub(crate) fn median(&self, of: impl Fn(&Sample) -> Duration) -> Duration {
        median(self.samples.iter().map(of).collect())
    }

    /// Most memory in KiB, the median over all lives.
    pub(crate) fn memory_kib(&self) -> u64 {
        let mut all: Vec<u64> = self.samples.iter().map(|sample| sample.peak_memory_kib).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }

    /// All warm invocations, ascending.
    pub(crate) fn warm(&self) -> Vec<Duration> {
        let mut all: Vec<Duration> = self.samples.iter().flat_map(|sample| sample.warm.clone()).collect();
        all.sort_unstable();
        all
    }

    /// Calls of a kind per warm invocation: each life has as many of them.
    pub(crate) fn calls_per_invocation(&self) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        let invocations: usize = self.samples.iter().map(|sample| sample.warm.len()).sum();
        for sample in &self.samples {
            for (name, count) in &sample.asked[2].calls {
                *sums.entry(name.clone()).or_default() += float(*count) / float(invocations as u64);
            }
        }
        sums
    }
}

/// Whether it is the batch whose bounds are about waiting.
pub(crate) fn is_whole_batch(measured: &Measured) -> bool {
    measured.subject.name == WHOLE_BATCH
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
