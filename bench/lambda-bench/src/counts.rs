//! Counts instructions and system calls with valgrind and strace. Counts vary less than times.

use crate::backend::Backend;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;
use anyhow::Context;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

/// Of two counted processes. The difference is the cost of warm invocations only.
const INVOCATIONS: [u32; 2] = [20, 70];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Until its first poll for an event.
    pub(crate) init_instructions: f64,
    /// Mean of a warm invocation.
    pub(crate) warm_instructions: f64,
    /// Until its first poll for an event.
    pub(crate) init_system_calls: f64,
    /// Mean of a warm invocation.
    pub(crate) warm_system_calls: f64,
}

/// Checks that both tools are installed.
///
/// # Errors
/// A tool is missing.
pub(crate) fn require_tools() -> anyhow::Result<()> {
    for tool in ["valgrind", "strace"] {
        Command::new(tool).arg("--version").stdout(Stdio::null()).status().with_context(|| {
            format!(
                "Failed to run {tool}: install it, for example with `apt install {tool}`, or measure with --no-counts"
            )
        })?;
    }
    Ok(())
}

/// Creates the folder for profiles, and checks that it can be written to.
///
/// # Errors
/// The folder or a file in it cannot be created.
pub(crate) fn prepare(profiles: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(profiles).with_context(|| format!("Failed to create {}", profiles.display()))?;
    // Never overwrites a file.
    let probe = profiles.join(format!("probe.{}.new", std::process::id()));
    File::create_new(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .with_context(|| format!("Failed to write into {}", profiles.display()))
}

/// Counts a function's instructions and system calls, and writes profiles to `profiles`. Returns the counts, and the
/// error if a profile could not be written.
///
/// # Errors
/// A tool is missing, or the function fails under it.
pub(crate) async fn count(
    subject: &Subject,
    backend: &Backend,
    folder: &Path,
    profiles: Option<&Path>,
) -> anyhow::Result<(Counts, anyhow::Result<()>)> {
    let (mut instructions, mut calls, mut written) = (Vec::new(), Vec::new(), Ok(()));
    for invocations in [0, INVOCATIONS[0], INVOCATIONS[1]] {
        instructions.push(instructions_of(subject, backend, folder, invocations).await?);
        calls.push(calls_of(subject, backend, folder, invocations).await?);
        if let Some(profiles) = profiles {
            // For callgrind_annotate and KCachegrind.
            let name = format!("{}.{invocations}.callgrind", subject.name);
            let profile = profiles.join(name);
            let copied = fs::copy(folder.join("callgrind.out"), &profile);
            let copied = copied.map(drop).with_context(|| format!("Failed to write {}", profile.display()));
            written = written.and(copied);
        }
    }
    let warm = |counted: &[f64]| (counted[2] - counted[1]) / f64::from(INVOCATIONS[1] - INVOCATIONS[0]);
    let counts = Counts {
        init_instructions: instructions[0],
        warm_instructions: warm(&instructions),
        init_system_calls: calls[0],
        warm_system_calls: warm(&calls),
    };
    Ok((counts, written))
}

async fn instructions_of(subject: &Subject, backend: &Backend, folder: &Path, times: u32) -> anyhow::Result<f64> {
    let out = format!("--callgrind-out-file={}", folder.join("callgrind.out").display());
    let written = under(&["valgrind", "--tool=callgrind", &out], subject, backend, folder, times).await?;
    let line = written.lines().rfind(|line| line.contains("Collected :"));
    let line = line.with_context(|| format!("valgrind wrote: {written}"))?;
    let count = line.rsplit(':').next().unwrap_or_default().trim();
    count.parse().with_context(|| format!("valgrind counted {count:?}"))
}

async fn calls_of(subject: &Subject, backend: &Backend, folder: &Path, times: u32) -> anyhow::Result<f64> {
    let file = folder.join("strace.out");
    let shown = file.to_string_lossy().into_owned();
    under(&["strace", "-f", "-o", &shown], subject, backend, folder, times).await?;
    let trace = fs::read_to_string(&file).with_context(|| format!("strace wrote no {shown}"))?;
    // Signals, exits and the second line of a resumed call are not calls.
    let is_call = |line: &&str| line.contains('(') && !line.contains("resumed>") && !line.contains("+++");
    Ok(f64::from(u32::try_from(trace.lines().filter(is_call).count())?))
}

/// Runs the bootstrap under a tool for `times` invocations. Returns the tool's standard error.
async fn under(
    tool: &[&str],
    subject: &Subject,
    backend: &Backend,
    folder: &Path,
    times: u32,
) -> anyhow::Result<String> {
    let counted = async {
        let mut api = RuntimeApi::start().await?;
        let mut command: Vec<String> = tool.iter().map(|&word| word.to_owned()).collect();
        command.extend(subject.command.iter().cloned());
        let process = Process::start(&command, &subject.environment(&api.address(), backend, folder)?)?;
        api.polled().await?;
        for number in 0..times {
            api.invoke(subject.event(number)).await?;
        }
        api.polled().await?;
        process.terminate().await
    };
    counted.await.with_context(|| format!("Failed to count {} under {}", subject.name, tool[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preparing_the_profiles_folder_leaves_its_files_alone() {
        let folder = std::env::temp_dir().join(format!("lambda-bench-profiles-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        fs::write(folder.join("probe.new"), "the user's").expect("a temporary file");

        prepare(&folder).expect("it can be written");
        let kept = fs::read_to_string(folder.join("probe.new"));
        let left = fs::read_dir(&folder).expect("a folder").count();
        fs::remove_dir_all(&folder).expect("it is there");

        assert_eq!((kept.ok().as_deref(), left), (Some("the user's"), 1));
    }
}
