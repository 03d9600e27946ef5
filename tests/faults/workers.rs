//! The processes that run a function.

use std::{collections::BTreeSet, env, ffi::OsStr, fs, net::SocketAddr};
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

/// The process of that function whose connection comes from there. All of its processes where the system does not say:
/// only Linux does, in `/proc`.
pub(crate) fn connected_from(function: &str, client: SocketAddr) -> BTreeSet<Pid> {
    let mut workers = of(function);
    if let Some(socket) = socket_of(client) {
        let has_socket = |pid: &Pid| {
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            open.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == socket.as_str())
        };
        workers.retain(has_socket);
    }
    workers
}

/// The socket with that local address, as links in `/proc` name it. Source: proc(5), `/proc/net/tcp`.
fn socket_of(client: SocketAddr) -> Option<String> {
    let port = format!(":{:04X}", client.port());
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row.get(1).is_some_and(|local| local.ends_with(&port)))?;
    Some(format!("socket:[{}]", row.get(9)?))
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
