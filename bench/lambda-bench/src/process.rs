//! A bootstrap as a process, and what the kernel says of it. Lambda is Linux, and so is this.

use anyhow::Context;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A bootstrap that runs until it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) spawned: Instant,
}

impl Process {
    /// Starts it with that environment and no other.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(command: &[String], environment: &[(String, String)]) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("a bootstrap is a program")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment.iter().cloned());
        // What a bootstrap in another language needs to find its interpreter.
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let spawned = Instant::now();
        let child = command.spawn().with_context(|| format!("Failed to start {program}"))?;
        Ok(Self { child, spawned })
    }

    fn status(&self, file: &str) -> anyhow::Result<String> {
        let id = self.child.id().context("it ended")?;
        let path = format!("/proc/{id}/{file}");
        fs::read_to_string(&path).with_context(|| format!("Failed to read {path}: measuring takes Linux"))
    }

    /// Time on a processor so far, of all its threads.
    /// Source: Linux kernel documentation, "Scheduler Statistics", `/proc/<pid>/schedstat`.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let id = self.child.id().context("it ended")?;
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{id}/task"))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Most memory that it had at once, in KiB. Source: `proc_pid_status(5)`, `VmHWM`.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn peak_memory_kib(&self) -> anyhow::Result<u64> {
        let status = self.status("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("Linux tells VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Ends it in good order, and what it wrote to standard error. A tool that runs it as a process of its own ends
    /// with it.
    ///
    /// # Errors
    /// It has ended already.
    pub(crate) async fn terminate(self) -> anyhow::Result<String> {
        let id = self.child.id().context("it ended")?;
        // Source: `proc_pid_task(5)`, `children`.
        let children = self.status(&format!("task/{id}/children")).unwrap_or_default();
        let own = children.split_whitespace().next().map_or_else(|| id.to_string(), str::to_owned);
        Command::new("kill").arg(own).status().await?;
        let output = self.child.wait_with_output().await?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
