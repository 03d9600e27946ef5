//! Changes to a stack that are always undone: the previous settings are on disk first.

use super::{controls::Controls, fill::Fill, setting::StackSetting};
use anyhow::{Context, bail};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use twolane_client::orders_table::OrderKey;
use twolane_client::signals::Interruption;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    /// URL of the REST API, so that settings are never put into another stack.
    stack: String,
    /// Previous settings, in the order of their restore.
    before: Vec<StackSetting>,
    #[serde(default)]
    fill: Option<Fill>,
    /// Accepted orders without an outcome at the end of the work: they may still take of what was added.
    #[serde(default)]
    awaited: HashSet<OrderKey>,
}

/// Permission to change settings: the previous values are saved.
pub(crate) struct StackChanges {
    controls: Controls,
    file: PathBuf,
    saved: Saved,
    notify: fn(&str),
    /// A lock for the run: the kernel releases it however the process ends.
    _lock: File,
}

impl StackChanges {
    /// Saves the current settings in `file`; changes nothing yet.
    ///
    /// # Errors
    /// The file exists: another run is measuring the stack, or was killed before it undid its changes. Or the stack has
    /// changed since the settings were read. Or the file system or AWS fails.
    pub(crate) async fn begin(
        controls: Controls,
        stack: &str,
        file: PathBuf,
        before: Vec<StackSetting>,
        filled: Option<Fill>,
        notify: fn(&str),
    ) -> anyhow::Result<Self> {
        let saved = Saved { stack: stack.to_owned(), before, fill: filled, awaited: HashSet::new() };
        let lock = save(&file, &saved)?;
        // `before` may contain changes of a run that has ended since.
        if let Err(error) = unchanged(&controls, &saved.before).await {
            fs::remove_file(&file).with_context(|| format!("Failed to delete {}", file.display()))?;
            return Err(error);
        }
        Ok(Self { controls, file, saved, notify, _lock: lock })
    }

    /// Adds to stock and accounts, runs `work`, and undoes all changes when it ends, fails or panics. The second result
    /// is an error if changes could not be undone; the message names them and the command to type. An interrupted `work`
    /// may take a while to end. So settings are restored at once, and again at its end: it may just have changed one.
    /// `awaited` names orders without an outcome at the end.
    pub(crate) async fn during<T>(
        mut self,
        work: impl Future<Output = anyhow::Result<T>>,
        awaited: impl FnOnce(&T) -> HashSet<OrderKey>,
        interruption: &Interruption,
    ) -> (anyhow::Result<T>, anyhow::Result<()>) {
        let early = async {
            interruption.wait().await;
            (self.notify)(
                "Restoring the stack's settings. The run ends when the requests in progress have their answers.",
            );
            // Failures are retried and reported at the end.
            let _ = undo(&self.controls, &self.saved.before).await;
            std::future::pending::<()>().await;
        };
        let work = async {
            if let Some(fill) = &self.saved.fill {
                fill.add(&self.controls.dynamodb).await?;
            }
            work.await
        };
        let result = tokio::select! {
            result = AssertUnwindSafe(work).catch_unwind() => result,
            () = early => unreachable!("it does not end"),
        };
        if let Ok(Ok(result)) = &result {
            self.saved.awaited = awaited(result);
            // A later restore must wait for them, too.
            if !self.saved.awaited.is_empty()
                && let Err(error) = fs::write(&self.file, json(&self.saved))
            {
                (self.notify)(&format!("warning: Failed to write {}: {error}", self.file.display()));
            }
        }
        let put_back = PutBack {
            controls: &self.controls,
            file: &self.file,
            saved: &self.saved,
            interruption: Some(interruption),
            notify: self.notify,
        };
        let undone = put_back.run().await;
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

/// Undoes what a killed run left changed, and returns it as text; `None` if there is nothing.
///
/// # Errors
/// The file belongs to another stack, or the file system or AWS fails.
pub(crate) async fn restore(
    controls: &Controls,
    stack: &str,
    file: &Path,
    notify: fn(&str),
) -> anyhow::Result<Option<Vec<String>>> {
    let shown = file.display();
    let mut lock = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("Failed to read {shown}")),
    };
    if lock.try_lock().is_err() {
        bail!("A run is measuring this stack and will restore its settings: wait for it, or end it with Ctrl-C");
    }
    let mut bytes = Vec::new();
    lock.read_to_end(&mut bytes).with_context(|| format!("Failed to read {shown}"))?;
    let saved: Saved = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{shown} does not contain a stack's settings. If no run is in progress, nothing was changed: delete the \
             file"
        )
    })?;
    if saved.stack != stack {
        bail!(
            "{shown} belongs to another stack, {}: pass that stack, or delete the file if the stack no longer exists",
            saved.stack
        );
    }
    PutBack { controls, file, saved: &saved, interruption: None, notify }.run().await?;
    let supplies = saved.fill.iter().flat_map(|fill| [&fill.stock, &fill.accounts]);
    let supplies = supplies.map(|supply| format!("{}: the rest of {supply}", supply.table));
    Ok(Some(saved.before.iter().map(ToString::to_string).chain(supplies).collect()))
}

struct PutBack<'a> {
    controls: &'a Controls,
    file: &'a Path,
    saved: &'a Saved,
    interruption: Option<&'a Interruption>,
    notify: fn(&str),
}

impl PutBack<'_> {
    /// Restores everything and deletes the file. Settings come first: a stopped step must decide on the orders that
    /// stock and accounts wait for.
    async fn run(&self) -> anyhow::Result<()> {
        let shown = self.file.display();
        let mut failed = undo(self.controls, &self.saved.before).await;
        if let Some(fill) = &self.saved.fill {
            // Boxed because its requests make it large.
            let taking_back =
                fill.take_back(&self.controls.dynamodb, &self.saved.awaited, self.interruption, self.notify);
            failed.extend(Box::pin(taking_back).await.err().map(|error| format!("{error:#}")));
        }
        if !failed.is_empty() {
            bail!(
                "The stack's settings are not restored: {}.\n  Do:   twolane compare --restore (reads {shown})",
                failed.join("; ")
            );
        }
        fs::remove_file(self.file).with_context(|| format!("Failed to delete {shown}, which is no longer needed"))
    }
}

/// Restores all settings and returns the errors; one failure does not stop the others.
async fn undo(controls: &Controls, before: &[StackSetting]) -> Vec<String> {
    let mut failed = Vec::new();
    for setting in before {
        // Boxed because its requests make it large.
        if let Err(error) = Box::pin(controls.apply(setting)).await {
            failed.push(format!("{error:#}"));
        }
    }
    failed
}

async fn unchanged(controls: &Controls, before: &[StackSetting]) -> anyhow::Result<()> {
    for setting in before {
        let now = Box::pin(controls.current(setting)).await?;
        if now != *setting {
            bail!("Nothing was changed or sent: the stack has changed since the settings were read ({now})");
        }
    }
    Ok(())
}

fn json(saved: &Saved) -> Vec<u8> {
    serde_json::to_vec_pretty(saved).expect("settings are always JSON")
}

/// Writes and locks a new file, and waits until its content and its name are on disk. Fails if the file exists.
fn save(file: &Path, saved: &Saved) -> anyhow::Result<File> {
    let shown = file.display();
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    if opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        if File::open(file).is_ok_and(|other| other.try_lock().is_err()) {
            bail!("Another run is measuring this stack: wait for it, or end it with Ctrl-C");
        }
        bail!(
            "An earlier run ended before it could restore the stack's settings: {shown} exists.\n  Do:   twolane \
             compare --restore"
        );
    }
    let write = |mut opened: File| {
        opened.try_lock()?;
        opened.write_all(&json(saved))?;
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
        let source = StackSetting::EventSource {
            function: "ProcessOrders".into(),
            id: "id".into(),
            maximum_concurrency: Some(10),
            batch_size: 10,
            enabled: true,
        };
        let before = vec![
            StackSetting::ReservedConcurrency { function: "CreateOrder".into(), value: None },
            source,
            StackSetting::Variable { function: "CreateOrder".into(), name: "A".into(), value: Some("b".into()) },
        ];
        Saved { stack: "http://localhost:4566/live".into(), before, fill: None, awaited: HashSet::new() }
    }

    #[tokio::test]
    async fn a_panic_is_passed_on_after_the_changes_are_undone() {
        let file = std::env::temp_dir().join(format!("twolane-{}", uuid::Uuid::new_v4()));
        let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        let controls = Controls::new(&config);
        let changes = StackChanges::begin(controls, "http://localhost", file.clone(), Vec::new(), None, |_| {}).await;
        let changes = changes.expect("there is no such file");
        let interruption = Interruption::listen().expect("signals can be listened to");
        let there = file.clone();
        let work = async move {
            assert!(!there.exists(), "a panic while the stack is changed");
            Ok(())
        };

        let run = changes.during(work, |()| HashSet::new(), &interruption);
        let panicked = AssertUnwindSafe(run).catch_unwind().await;

        assert!(panicked.is_err());
        assert!(!file.exists(), "the file is deleted after the restore");
    }

    #[test]
    fn saved_settings_are_read_back_and_never_overwritten() {
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
