//! Unix signals that interrupt a run.

use futures_util::future::OptionFuture;
use std::fs;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;

/// A signal that ends a run early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT (Ctrl-C).
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP (closed terminal).
    Hangup,
}

impl Signal {
    /// Its POSIX name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }

    /// 128 plus the signal's number, as in shells. Source: POSIX.1-2024, `kill`; Bash Reference Manual, "Exit Status".
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }
}

/// Listens for [`Signal`]s, which then no longer end the process.
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// `None`: nohup(1) ignores it.
    hangup: Option<unix::Signal>,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// The operating system's error.
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

/// Whether this process was started to outlive its terminal. Linux reports it; elsewhere, a missing terminal counts.
/// Source: `proc_pid_status(5)`, `SigIgn`: the lowest bit is SIGHUP.
fn ignores_hangup() -> bool {
    let ignored = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    ignored.map_or_else(|| !io::stdout().is_terminal() && !io::stderr().is_terminal(), |mask| mask & 1 == 1)
}

#[derive(Clone, Copy, Debug)]
enum Cause {
    Signal(Signal),
    /// The program's decision.
    Decision,
}

/// The first signal, for long work to check between steps.
#[derive(Clone, Debug)]
pub struct Interruption {
    seen: watch::Receiver<Option<Cause>>,
    cause: Arc<watch::Sender<Option<Cause>>>,
}

impl Interruption {
    /// Starts to listen.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn listen() -> io::Result<Self> {
        let mut signals = Signals::listen()?;
        let (cause, seen) = watch::channel(None);
        let cause = Arc::new(cause);
        let first = Arc::clone(&cause);
        tokio::spawn(async move {
            let signal = signals.next().await;
            first.send_replace(Some(Cause::Signal(signal)));
            // Ignore later signals while there are listeners: work is ending.
            first.closed().await;
        });
        Ok(Self { seen, cause })
    }

    /// Ends the work early, like a signal.
    pub fn interrupt(&self) {
        self.cause.send_if_modified(|cause| {
            let is_first = cause.is_none();
            cause.get_or_insert(Cause::Decision);
            is_first
        });
    }

    /// Whether to end early.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.seen.borrow().is_some()
    }

    /// The first signal, if any.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        match *self.seen.borrow() {
            Some(Cause::Signal(signal)) => Some(signal),
            Some(Cause::Decision) | None => None,
        }
    }

    /// Waits until work is to end early.
    pub async fn wait(&self) {
        let _ = self.seen.clone().wait_for(Option::is_some).await;
    }

    /// At most `time`; shorter if work is to end early.
    pub async fn sleep(&self, time: Duration) {
        let mut seen = self.seen.clone();
        let _ = tokio::time::timeout(time, seen.wait_for(Option::is_some)).await;
    }
}
