//! The stack while its database and its sockets fail, its functions are killed, and its worker is stopped.
//!
//! Faults come from outside: an HTTP endpoint between the functions and AWS, AWS's own controls, signals, and raw
//! messages. The functions contain no code for tests. The suite needs a local cloud, because functions must be
//! processes of this machine. `make test` and `make soak` prepare it, the command line, and the example of sqs-batch.
//!
//! Loads are short unless `TWOLANE_SOAK` is 1. Scenarios run in sequence. The run ends with a table of counts.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

mod bus;
mod dispositions;
mod drops;
mod figures;
mod listener;
mod local_cloud;
mod moments;
mod queue;
mod scenarios;
mod test_bed;
mod workers;

use figures::{Figures, Table};
use futures_util::FutureExt;
use libtest_mimic::{Arguments, Trial};
use std::{env, panic::AssertUnwindSafe, process::ExitCode, sync::Arc, time::Instant};
use test_bed::TestBed;
use tokio::{runtime::Runtime, sync::OnceCell};

/// The size of loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Enough to see each fault, in every run.
    Short,
    /// As the guarantees say, for `make soak`.
    Full,
}

impl Load {
    fn from_env() -> Self {
        if env::var("TWOLANE_SOAK").is_ok_and(|value| value == "1") { Self::Full } else { Self::Short }
    }

    pub(crate) fn pick<T>(self, short: T, full: T) -> T {
        if self == Self::Short { short } else { full }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let load = Load::from_env();
    let runtime = Arc::new(Runtime::new().expect("threads can be started"));
    let bed = Arc::new(OnceCell::new());
    let table = Arc::new(Table::default());
    let trials = scenarios::all().into_iter().map(|scenario| {
        let (runtime, bed, table) = (Arc::clone(&runtime), Arc::clone(&bed), Arc::clone(&table));
        Trial::test(scenario.name, move || {
            let started = Instant::now();
            let figures: Figures = runtime.block_on(async {
                let bed: &TestBed = bed.get_or_init(TestBed::wire).await;
                bed.reset().await;
                AssertUnwindSafe((scenario.run)(bed, load)).await
            });
            table.add(scenario.name, started.elapsed(), figures);
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let Some(bed) = Arc::into_inner(bed).and_then(OnceCell::into_inner) {
        let _ = runtime.block_on(AssertUnwindSafe(bed.unwire()).catch_unwind());
    }
    table.print();
    conclusion.exit_code()
}
