//! The processes that run a function.

use std::{collections::BTreeSet, env, ffi::OsStr};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System, UpdateKind};

/// The processes of that function on the stack under test: a local cloud runs functions as processes of this machine.
pub(crate) fn of(function: &str) -> BTreeSet<Pid> {
    let mut system = System::new();
    refresh(&mut system);
    let endpoint = env::var("AWS_ENDPOINT_URL").unwrap_or_default();
    let marks = [format!("AWS_LAMBDA_FUNCTION_NAME={function}"), format!("AWS_ENDPOINT_URL={endpoint}")];
    let is_ours = |environment: &[std::ffi::OsString]| {
        marks.iter().all(|mark| environment.iter().any(|variable| variable == OsStr::new(mark)))
    };
    let processes = system.processes().iter().filter(|(_, process)| process.thread_kind().is_none());
    processes.filter(|(_, process)| is_ours(process.environ())).map(|(pid, _)| *pid).collect()
}

/// Kills one process as the machine under it would: without a word (SIGKILL). Whether it was there.
pub(crate) fn kill(pid: Pid) -> bool {
    let mut system = System::new();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
    system.process(pid).is_some_and(|process| process.kill_with(Signal::Kill).unwrap_or(false))
}

fn refresh(system: &mut System) {
    let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
}
