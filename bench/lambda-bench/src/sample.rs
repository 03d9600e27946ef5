//! Measures a bootstrap's start and its invocations from outside.

use crate::backend::{Backend, Received};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;
use anyhow::Context;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// They open connections and allocate memory that later invocations reuse.
const WARM_UP: u32 = 20;

#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// To its first poll for an event.
    pub(crate) start: Duration,
    /// From the process's start.
    pub(crate) first_answer: Duration,
    pub(crate) warm: Vec<Duration>,
    /// Mean of a warm invocation.
    pub(crate) processor: Duration,
    /// Peak, in KiB.
    pub(crate) memory_kib: u64,
    /// Received before the first event.
    pub(crate) in_init: Received,
    /// Received at the first event.
    pub(crate) at_first_event: Received,
    /// Received in all warm invocations.
    pub(crate) in_warm: Received,
}

/// Starts the bootstrap, sends one event, warms up, and measures `warm` invocations.
///
/// # Errors
/// The bootstrap does not start, fails, or answers with an error.
pub(crate) async fn take(subject: &Subject, backend: &Backend, warm: u32, folder: &Path) -> anyhow::Result<Sample> {
    let taken = async {
        let mut api = RuntimeApi::start().await?;
        let environment = subject.environment(&api.address(), backend, folder)?;
        let before = backend.received();
        let process = Process::start(&subject.command, &environment)?;
        let start = api.polled().await? - process.spawned;
        let started = backend.received();
        let (_, answer) = api.invoke(subject.event(0)).await?;
        let first_answer = process.spawned.elapsed();
        check(&answer)?;
        let answered = backend.received();
        let warm_up = WARM_UP.min(warm);
        for number in 1..=warm_up {
            api.invoke(subject.event(number)).await?;
        }
        api.polled().await?;
        let (processor_before, warmed_up) = (process.processor()?, backend.received());
        let mut times = Vec::new();
        for number in warm_up + 1..=warm_up + warm {
            let (time, answer) = api.invoke(subject.event(number)).await?;
            check(&answer)?;
            times.push(time);
        }
        api.polled().await?;
        anyhow::Ok(Sample {
            start,
            first_answer,
            warm: times,
            processor: process.processor()?.saturating_sub(processor_before) / warm.max(1),
            memory_kib: process.peak_memory_kib()?,
            in_init: started.since(&before),
            at_first_event: answered.since(&started),
            in_warm: backend.received().since(&warmed_up),
        })
    };
    taken.await.with_context(|| format!("Failed to measure {}", subject.name))
}

/// Rejects an answer with an error, because its figures would lack the work.
fn check(answer: &[u8]) -> anyhow::Result<()> {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return Ok(()) };
    let status = answer["statusCode"].as_u64().unwrap_or(200);
    anyhow::ensure!(status < 300, "it answered {answer}");
    let failures = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(failures == 0, "it failed {failures} messages of its batch: {answer}");
    Ok(())
}
