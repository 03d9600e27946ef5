//! Asks before a stack is changed.

use crate::progress::say;
use anyhow::bail;
use std::io::{self, IsTerminal};
use twolane_load::scenario::Scenario;

/// Lists what the scenario changes in the stack, if anything, and asks unless `yes`.
///
/// # Errors
/// The answer is not yes, or standard input is not a terminal.
pub(crate) fn ask(scenario: &Scenario, stack: &str, yes: bool) -> anyhow::Result<()> {
    let changes = scenario.changes();
    if changes.is_empty() && scenario.leaves.is_none() {
        return Ok(());
    }
    say(&format!("This changes the stack at {stack} during the measurement:"));
    for (before, during) in &changes {
        say(&format!("  {before}\n    → {during}"));
    }
    if !changes.is_empty() {
        say("The changes are undone at the end, also after Ctrl-C.");
    }
    if let Some(leaves) = &scenario.leaves {
        say(&format!("  {leaves}."));
    }
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        bail!("The stack is changed only with your consent: pass --yes");
    }
    say("Continue? [y/N]");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        bail!("Nothing was changed, and nothing was sent");
    }
    Ok(())
}
