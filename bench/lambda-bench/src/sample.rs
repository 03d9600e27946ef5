//! One life of a bootstrap, measured from outside.

use crate::backend::{Backend, Seen};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;
use anyhow::Context;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Invocations before warm ones are measured: connections are open and memory is there by then.
const WARM_UP: u32 = 20;

/// What one life was like.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// From its start until it asked for the first event.
    pub(crate) cold_start: Duration,
    /// From its start until its first answer.
    pub(crate) first_answer: Duration,
    /// Each warm invocation.
    pub(crate) warm: Vec<Duration>,
    /// All warm invocations together, the harness's own part included.
    pub(crate) warm_took: Duration,
    /// Processor time of a warm invocation, the mean.
    pub(crate) cpu: Duration,
    /// Most memory it had, in KiB.
    pub(crate) peak_memory_kib: u64,
    /// What it asked of AWS before the first event, at the first one, and in all warm ones.
    pub(crate) asked: [Seen; 3],
}

/// Starts the bootstrap and gives it one event, and `warm` more.
///
/// # Errors
/// It does not start, fails, or answers that it could not do its work.
pub(crate) async fn live(subject: &Subject, backend: &Backend, warm: u32, folder: &Path) -> anyhow::Result<Sample> {
    let lived = async {
        let mut api = RuntimeApi::start().await?;
        let before = backend.seen();
        let process = Process::start(&subject.command, &subject.environment(&api.address(), backend, folder))?;
        let cold_start = api.asked().await? - process.spawned;
        let started = backend.seen();
        let (_, answer) = api.invoke(subject.event(0)).await?;
        let first_answer = process.spawned.elapsed();
        check(&answer)?;
        let first = backend.seen();
        let warm_up = WARM_UP.min(warm);
        for number in 1..=warm_up {
            api.invoke(subject.event(number)).await?;
        }
        api.asked().await?;
        let (cpu_before, seen_before, began) = (process.cpu()?, backend.seen(), std::time::Instant::now());
        let mut took = Vec::new();
        for number in warm_up + 1..=warm_up + warm {
            let (time, answer) = api.invoke(subject.event(number)).await?;
            check(&answer)?;
            took.push(time);
        }
        api.asked().await?;
        let warm_took = began.elapsed();
        anyhow::Ok(Sample {
            cold_start,
            first_answer,
            warm: took,
            warm_took,
            cpu: process.cpu()?.saturating_sub(cpu_before) / warm.max(1),
            peak_memory_kib: process.peak_memory_kib()?,
            asked: [started.since(&before), first.since(&started), backend.seen().since(&seen_before)],
        })
    };
    lived.await.with_context(|| format!("Failed to measure {}", subject.name))
}

/// An answer that says that the work was not done makes every figure worthless.
fn check(answer: &[u8]) -> anyhow::Result<()> {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return Ok(()) };
    let status = answer["statusCode"].as_u64().unwrap_or(200);
    anyhow::ensure!(status < 300, "it answered {answer}");
    let failures = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(failures == 0, "it failed {failures} messages of its batch: {answer}");
    Ok(())
}
