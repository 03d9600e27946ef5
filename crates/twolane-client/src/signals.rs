//! The signals that interrupt a run: Ctrl-C and the request to terminate, as Unix sends them.

use futures_util::future::OptionFuture;
use std::fs;
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;

/// A signal that ends a run early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C: SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal was closed.
    Hangup,
}

impl Signal {
    /// As POSIX calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }

    /// The exit code of a run that it ended: 128 and the signal's number, as shells tell it.
    /// Source: POSIX.1-2024, `kill`, for the numbers; Bash Reference Manual, "Exit Status".
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }
}

/// Listens for [`Signal`]s. From its creation on, they do not end the process by themselves any more.
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// Not where nohup(1) has it ignored.
    hangup: Option<unix::Signal>,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: (!ignores_hangup()).then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            Some(Some(())) = OptionFuture::from(self.hangup.as_mut().map(unix::Signal::recv)) => Signal::Hangup,
        }
    }
}

/// Whether this process was started so that it outlives its terminal. Linux says so; elsewhere, one without a terminal
/// is taken for one that was. Source: `proc_pid_status(5)`, `SigIgn`, of which the lowest bit is SIGHUP.
fn ignores_hangup() -> bool {
    let ignored = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    ignored.map_or_else(|| !io::stdout().is_terminal() && !io::stderr().is_terminal(), |mask| mask & 1 == 1)
}

/// Remembers the first signal, so that long work can look for it between two steps.
#[derive(Clone, Debug)]
pub struct Interruption(watch::Receiver<Option<Signal>>);

impl Interruption {
    /// Starts to listen.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn listen() -> io::Result<Self> {
        let mut signals = Signals::listen()?;
        let (first, seen) = watch::channel(None);
        tokio::spawn(async move {
            let signal = signals.next().await;
            first.send_replace(Some(signal));
            // Later signals are ignored as long as somebody listens: the work is ending already.
            first.closed().await;
        });
        Ok(Self(seen))
    }

    /// The first signal, if there was one.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits for the first signal.
    pub async fn wait(&self) {
        let _ = self.0.clone().wait_for(Option::is_some).await;
    }

    /// Waits that long, or until there is a signal.
    pub async fn sleep(&self, time: Duration) {
        let mut seen = self.0.clone();
        let _ = tokio::time::timeout(time, seen.wait_for(Option::is_some)).await;
    }
}
