//! Runs a bootstrap as a process, and reads the kernel's figures. Needs Linux.

use anyhow::Context;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Runs until it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) spawned: Instant,
}

impl Process {
    /// Starts it with only that environment, and `PATH`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn start(command: &[String], environment: &[(String, String)]) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("a bootstrap has a program")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment.iter().cloned());
        // Bootstraps in other languages need it to find their interpreter.
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let spawned = Instant::now();
        let child = command.spawn().with_context(|| format!("Failed to start {program}"))?;
        Ok(Self { child, spawned })
    }

    fn status(&self, file: &str) -> anyhow::Result<String> {
        let id = self.child.id().context("the bootstrap ended")?;
        let path = format!("/proc/{id}/{file}");
        fs::read_to_string(&path).with_context(|| format!("Failed to read {path}: measuring needs Linux"))
    }

    /// So far, of all threads. Source: Linux kernel documentation, "Scheduler Statistics", `/proc/<pid>/schedstat`.
    ///
    /// # Errors
    /// The process has ended.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        let id = self.child.id().context("the bootstrap ended")?;
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{id}/task"))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// So far. Source: `proc_pid_status(5)`, `VmHWM`.
    ///
    /// # Errors
    /// The process has ended.
    pub(crate) fn peak_memory_kib(&self) -> anyhow::Result<u64> {
        let status = self.status("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("Linux reports VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Ends the bootstrap, or the tool that runs it. Returns its standard error.
    ///
    /// # Errors
    /// The process has ended already.
    pub(crate) async fn terminate(self) -> anyhow::Result<String> {
        let id = self.child.id().context("the bootstrap ended")?;
        // Source: `proc_pid_task(5)`, `children`.
        let children = self.status(&format!("task/{id}/children")).unwrap_or_default();
        let own = children.split_whitespace().next().map_or_else(|| id.to_string(), str::to_owned);
        Command::new("kill").arg(own).status().await?;
        let output = self.child.wait_with_output().await?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
