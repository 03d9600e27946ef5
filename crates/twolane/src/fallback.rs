//! Saves results that cannot be written to their destination.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use time::OffsetDateTime;
use twolane_client::timestamp::timestamp;

/// This program's state folder, which survives a reboot, then the folder for temporary files. Source: XDG Base
/// Directory Specification, `$XDG_STATE_HOME`.
fn places() -> impl Iterator<Item = PathBuf> {
    // The specification ignores relative paths.
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(env::home_dir()?.join(".local/state")));
    state.map(|state| state.join("twolane")).into_iter().chain([env::temp_dir()])
}

fn name(what: &str) -> String {
    // Some file systems forbid colons in file names.
    let time = timestamp(OffsetDateTime::now_utc()).replace(':', "");
    format!("twolane-{time}-{}-{what}", std::process::id())
}

/// Makes a folder that only its owner can read, writes into it, and returns it.
///
/// # Errors
/// All places fail; the error is the last one's.
pub(crate) fn folder(what: &str, write: impl Fn(PathBuf) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
    first(|place| {
        let folder = place.join(name(what));
        DirBuilder::new().mode(0o700).create(&folder)?;
        write(folder.clone())?;
        Ok(folder)
    })
}

/// Makes a file with that text that only its owner can read. Returns it and its path.
///
/// # Errors
/// All places fail; the error is the last one's.
pub(crate) fn file(what: &str, text: &str) -> anyhow::Result<(File, PathBuf)> {
    first(|place| {
        let path = place.join(name(what));
        // Never overwrite: another user may have put a link into a shared folder.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{text}")?;
        Ok((file, path))
    })
}

/// The first success, else the last place's error.
fn first<T>(make: impl Fn(PathBuf) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut result = Err(io::Error::from(io::ErrorKind::NotFound).into());
    for place in places() {
        result = fs::create_dir_all(&place).map_err(anyhow::Error::from).and_then(|()| make(place));
        if result.is_ok() {
            break;
        }
    }
    result
}
