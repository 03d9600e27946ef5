//! The processes of a function.

use std::{collections::BTreeSet, env, ffi::OsStr, fs, net::SocketAddr};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System, UpdateKind};

/// Of the stack under test. A local cloud runs functions as processes of this machine.
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

/// The processes of a function with connections from those addresses, or on systems other than Linux, all its
/// processes: only Linux has `/proc`. It is fast, because a client closes a connection that waits too long.
pub(crate) fn connected_from(function: &str, clients: &[SocketAddr]) -> BTreeSet<Pid> {
    let Ok(table) = fs::read_to_string("/proc/net/tcp") else { return of(function) };
    let sockets: BTreeSet<_> = clients.iter().flat_map(|client| sockets_of(&table, *client)).collect();
    let files = |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten();
    let has_socket = |pid: &u32| {
        let mut open = files(&format!("/proc/{pid}/fd")).filter_map(|file| fs::read_link(file.path()).ok());
        open.any(|target| target.to_str().is_some_and(|target| sockets.contains(target)))
    };
    let mark = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
    let is_of_function = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let pids = files("/proc").filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter(has_socket).filter(is_of_function).map(Pid::from_u32).collect()
}

/// Links in `/proc` of the sockets with that local port. Source: proc(5), `/proc/net/tcp`.
fn sockets_of(table: &str, client: SocketAddr) -> Vec<String> {
    let port = format!(":{:04X}", client.port());
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = rows.filter(|row| row.get(1).is_some_and(|local| local.ends_with(&port)));
    own.filter_map(|row| Some(format!("socket:[{}]", row.get(9)?))).collect()
}

/// By SIGKILL. Returns whether the process existed.
pub(crate) fn kill(pid: Pid) -> bool {
    let mut system = System::new();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
    system.process(pid).is_some_and(|process| process.kill_with(Signal::Kill).unwrap_or(false))
}

fn refresh(system: &mut System) {
    let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
}
