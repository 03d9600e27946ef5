//! Instructions and system calls, which repeat where times do not: counted by valgrind and strace.

use crate::backend::Backend;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Invocations of the shorter and of the longer life, whose difference is warm invocations alone.
const LIVES: [u32; 2] = [20, 70];

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Instructions until it asks for the first event.
    pub(crate) init_instructions: u64,
    /// Instructions of one warm invocation.
    pub(crate) warm_instructions: u64,
    /// System calls until it asks for the first event.
    pub(crate) init_calls: u64,
    /// System calls of one warm invocation.
    pub(crate) warm_calls: u64,
}

/// That both tools are there, before anything is measured in vain.
///
/// # Errors
/// One is not.
pub(crate) fn look_for_tools() -> anyhow::Result<()> {
    for tool in ["valgrind", "strace"] {
        Command::new(tool).arg("--version").stdout(Stdio::null()).status().with_context(|| {
            format!(
                "Failed to run {tool}: install it, for example by `apt install {tool}`, or measure with --no-counts"
            )
        })?;
    }
    Ok(())
}

/// Counts a function's instructions and system calls. Where each instruction is spent goes to the folder `profiles`.
///
/// # Errors
/// A tool is not there, or the function fails under it.
pub(crate) async fn count(
    subject: &Subject,
    backend: &Backend,
    folder: &Path,
    profiles: Option<&Path>,
) -> anyhow::Result<Counts> {
    let mut instructions = [0; 3];
    let mut calls = [0; 3];
    for (index, invocations) in [0, LIVES[0], LIVES[1]].into_iter().enumerate() {
        instructions[index] = instructions_of(subject, backend, folder, invocations).await?;
        calls[index] = calls_of(subject, backend, folder, invocations).await?;
        if let Some(profiles) = profiles {
            // For callgrind_annotate and KCachegrind.
            let name = format!("{}.{invocations}.callgrind", subject.name.replace([',', ' '], ""));
            fs::copy(folder.join("callgrind.out"), profiles.join(name))?;
        }
    }
    let between = |counted: [u64; 3]| counted[2].saturating_sub(counted[1]) / u64::from(LIVES[1] - LIVES[0]);
    Ok(Counts {
        init_instructions: instructions[0],
        warm_instructions: between(instructions),
        init_calls: calls[0],
        warm_calls: between(calls),
    })
}

async fn instructions_of(subject: &Subject, backend: &Backend, folder: &Path, times: u32) -> anyhow::Result<u64> {
    let out = format!("--callgrind-out-file={}", folder.join("callgrind.out").display());
    let told = under(&["valgrind", "--tool=callgrind", &out], subject, backend, folder, times).await?;
    let line =
        told.lines().rfind(|line| line.contains("Collected :")).with_context(|| format!("valgrind said: {told}"))?;
    let count = line.rsplit(':').next().unwrap_or_default().trim();
    count.parse().with_context(|| format!("valgrind counted {count:?}"))
}

async fn calls_of(subject: &Subject, backend: &Backend, folder: &Path, times: u32) -> anyhow::Result<u64> {
    let file = folder.join("strace.out");
    let shown = file.to_string_lossy().into_owned();
    under(&["strace", "-f", "-o", &shown], subject, backend, folder, times).await?;
    let trace = fs::read_to_string(&file).with_context(|| format!("strace wrote no {shown}"))?;
    // Lines of a call that is resumed, of signals and of ends are no calls of their own.
    let is_call = |line: &&str| line.contains('(') && !line.contains("resumed>") && !line.contains("+++");
    Ok(trace.lines().filter(is_call).count() as u64)
}

/// Runs the bootstrap under a tool for that many invocations, and what the tool wrote to standard error.
async fn under(
    tool: &[&str],
    subject: &Subject,
    backend: &Backend,
    folder: &Path,
    times: u32,
) -> anyhow::Result<String> {
    let name = tool.first().copied().unwrap_or_default();
    let counted = async {
        let mut api = RuntimeApi::start().await?;
        let mut command: Vec<String> = tool.iter().map(|&word| word.to_owned()).collect();
        command.extend(subject.command.iter().cloned());
        let process = Process::start(&command, &subject.environment(&api.address(), backend, folder))?;
        api.asked().await?;
        for number in 0..times {
            api.invoke(subject.event(number)).await?;
        }
        api.asked().await?;
        process.terminate().await
    };
    counted.await.with_context(|| format!("Failed to count {} under {name}", subject.name))
}
