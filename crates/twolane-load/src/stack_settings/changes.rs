//! Changes that are undone whatever happens: what was before is on disk before anything is changed.

use super::{controls::Controls, setting::Setting};
use anyhow::{Context, bail};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};

/// What the file holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    /// URL of the stack's REST API: settings of one stack are never put into another.
    stack: String,
    /// What was before, in the order in which it is put back.
    before: Vec<Setting>,
}

/// Settings that may be changed, because what they were is saved.
pub(crate) struct Changes {
    controls: Controls,
    file: PathBuf,
    saved: Saved,
    /// Prints what is done to the stack meanwhile.
    notify: fn(&str),
    /// Whoever holds it is measuring the stack: the kernel gives it back when its process ends, however it ends.
    _lock: File,
}

impl Changes {
    /// Saves what is before in `file`; nothing is changed yet.
    ///
    /// # Errors
    /// There is such a file: another run is measuring the stack, or was ended before it could undo its changes. The stack
    /// is not as it is said to be any more. Otherwise what the file system or AWS says.
    pub(crate) async fn begin(
        controls: Controls,
        stack: &str,
        file: PathBuf,
        before: Vec<Setting>,
        notify: fn(&str),
    ) -> anyhow::Result<Self> {
        let saved = Saved { stack: stack.to_owned(), before };
        let lock = save(&file, &saved)?;
        // Another run may have ended since, and what it had changed is what was read.
        if let Err(error) = unchanged(&controls, &saved.before).await {
            fs::remove_file(&file).with_context(|| format!("Failed to delete {}", file.display()))?;
            return Err(error);
        }
        Ok(Self { controls, file, saved, notify, _lock: lock })
    }

    /// Does work that changes settings, and undoes all changes when it ends, also when it panics. The second result is
    /// an error where they could not be undone: which, and what to type. What is `interrupted` may take a while to end:
    /// changes are undone at once, and once more at its end, as it may have been about to make one.
    pub(crate) async fn during<T>(
        self,
        work: impl Future<Output = T>,
        interrupted: impl Future<Output = ()>,
    ) -> (T, anyhow::Result<()>) {
        let early = async {
            interrupted.await;
            (self.notify)(
                "Putting the stack's settings back; the run ends when the requests under way have their answers.",
            );
            // What fails is tried again at the end, and told there.
            let _ = undo(&self.controls, &self.saved).await;
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = AssertUnwindSafe(work).catch_unwind() => result,
            () = early => unreachable!("it does not end"),
        };
        let undone = put_back(&self.controls, &self.file, &self.saved).await;
        match result {
            Ok(result) => (result, undone),
            Err(panic) => {
                if let Err(error) = undone {
                    (self.notify)(&format!("error: {error:#}"));
                }
                resume_unwind(panic)
            }
        }
    }
}

/// Undoes what a run that was killed left changed, and says what; `None` if there is nothing to undo.
///
/// # Errors
/// The file is of another stack; what the file system or AWS says.
pub(crate) async fn restore(controls: &Controls, stack: &str, file: &Path) -> anyhow::Result<Option<Vec<Setting>>> {
    let shown = file.display();
    let mut lock = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("Failed to read {shown}")),
    };
    if lock.try_lock().is_err() {
        bail!("A run is measuring this stack, and puts its settings back itself: wait for it, or end it with Ctrl-C");
    }
    let mut bytes = Vec::new();
    lock.read_to_end(&mut bytes).with_context(|| format!("Failed to read {shown}"))?;
    let saved: Saved = serde_json::from_slice(&bytes).with_context(|| {
        format!("{shown} does not hold a stack's settings; if no run is under way, nothing was changed yet: delete it")
    })?;
    if saved.stack != stack {
        bail!("{shown} is of another stack, {}: name that one, or delete the file if it is gone", saved.stack);
    }
    put_back(controls, file, &saved).await?;
    Ok(Some(saved.before))
}

async fn put_back(controls: &Controls, file: &Path, saved: &Saved) -> anyhow::Result<()> {
    let shown = file.display();
    if let Err(failed) = undo(controls, saved).await {
        bail!(
            "The stack is not as it was before the run: {failed}.\n  Do:   twolane compare --restore (it goes by {shown})"
        );
    }
    fs::remove_file(file).with_context(|| format!("Failed to delete {shown}, which is not needed any more"))
}

/// Makes all settings what they were; one that fails keeps no other from it.
async fn undo(controls: &Controls, saved: &Saved) -> Result<(), String> {
    let mut failed = Vec::new();
    for setting in &saved.before {
        // Boxed, as its requests make it large.
        if let Err(error) = Box::pin(controls.apply(setting)).await {
            failed.push(format!("{error:#}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Whether all settings are still those.
async fn unchanged(controls: &Controls, before: &[Setting]) -> anyhow::Result<()> {
    for setting in before {
        let now = Box::pin(controls.current(setting)).await?;
        if now != *setting {
            bail!("Nothing was changed, and nothing was sent: the stack is not as it was when you were asked ({now})");
        }
    }
    Ok(())
}

/// Writes a file that must not be there yet, and waits until the disk has it and its name. It is locked.
fn save(file: &Path, saved: &Saved) -> anyhow::Result<File> {
    let shown = file.display();
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    if opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        if File::open(file).is_ok_and(|other| other.try_lock().is_err()) {
            bail!("Another run is measuring this stack: wait for it, or end it with Ctrl-C");
        }
        bail!(
            "An earlier run was ended before it could put the stack's settings back: {shown} is there.\n  Do:   twolane \
             compare --restore"
        );
    }
    let write = |mut opened: File| {
        opened.try_lock()?;
        opened.write_all(&serde_json::to_vec_pretty(saved).expect("settings are always JSON"))?;
        opened.sync_all()?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        std::io::Result::Ok(opened)
    };
    opened.and_then(write).with_context(|| format!("Failed to save the stack's settings in {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        let source = Setting::EventSource {
            function: "ProcessOrders".into(),
            id: "id".into(),
            maximum_concurrency: Some(10),
            batch_size: 10,
            enabled: true,
        };
        let before = vec![
            Setting::ReservedConcurrency { function: "CreateOrder".into(), value: None },
            source,
            Setting::Variable { function: "CreateOrder".into(), name: "A".into(), value: Some("b".into()) },
        ];
        Saved { stack: "http://localhost:4566/live".into(), before }
    }

    #[tokio::test]
    async fn a_panic_is_passed_on_when_the_changes_are_undone() {
        let file = std::env::temp_dir().join(format!("twolane-{}", uuid::Uuid::new_v4()));
        let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        let changes =
            Changes::begin(Controls::new(&config), "http://localhost", file.clone(), Vec::new(), |_| {}).await;
        let changes = changes.expect("there is no such file");
        let there = file.clone();
        let work = async move { assert!(!there.exists(), "a panic while the stack is changed") };

        let panicked = AssertUnwindSafe(changes.during(work, std::future::pending())).catch_unwind().await;

        assert!(panicked.is_err());
        assert!(!file.exists(), "what was saved is deleted once it is put back");
    }

    #[test]
    fn what_was_saved_is_read_back_and_never_overwritten() {
        let file = std::env::temp_dir().join(format!("twolane-{}", uuid::Uuid::new_v4()));

        let lock = save(&file, &saved()).expect("there is no such file");
        let meanwhile = save(&file, &saved()).expect_err("it is in use");
        drop(lock);
        let again = save(&file, &saved()).expect_err("there is one now");
        let read: Saved = serde_json::from_slice(&fs::read(&file).expect("it is there")).expect("it is JSON");
        fs::remove_file(&file).expect("it is there");

        assert_eq!(read, saved());
        assert!(meanwhile.to_string().contains("Another run is measuring"), "{meanwhile}");
        assert!(again.to_string().contains("twolane compare --restore"), "{again}");
    }
}
