//! Where results are kept that cannot be written where they were asked for: nothing that was measured or done is lost.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use time::OffsetDateTime;
use twolane_client::timestamp::timestamp;

/// Folders to try: that of this program's state, which outlives a reboot, and that of temporary files.
/// Source: XDG Base Directory Specification, `$XDG_STATE_HOME`.
fn places() -> impl Iterator<Item = PathBuf> {
    // The specification has relative paths ignored.
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(env::home_dir()?.join(".local/state")));
    state.map(|state| state.join("twolane")).into_iter().chain([env::temp_dir()])
}

/// A name that no other run has.
fn name(what: &str) -> String {
    // Colons are not for file names.
    let time = timestamp(OffsetDateTime::now_utc()).replace(':', "");
    format!("twolane-{time}-{}-{what}", std::process::id())
}

/// Makes a folder that only its owner can read, and writes into it. Returns the folder; an error where no place could be written.
pub(crate) fn folder(what: &str, write: impl Fn(PathBuf) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
    first(|place| {
        let folder = place.join(name(what));
        DirBuilder::new().mode(0o700).create(&folder)?;
        write(folder.clone())?;
        Ok(folder)
    })
}

/// Makes a file that only its owner can read, with that text. Returns the file and its path.
pub(crate) fn file(what: &str, text: &str) -> anyhow::Result<(File, PathBuf)> {
    first(|place| {
        let path = place.join(name(what));
        // Never over what is there: another user may have put a link into a folder that all can write.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{text}")?;
        Ok((file, path))
    })
}

/// What came of the first place where it could be done, or else why it could not in the last.
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
