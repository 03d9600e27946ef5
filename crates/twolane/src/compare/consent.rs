//! Asking before a stack is changed.

use crate::progress::tell;
use anyhow::bail;
use std::io::{self, IsTerminal};
use twolane_load::scenario::Scenario;

/// Names what the scenario changes of that stack, and asks unless the answer was given beforehand. Nothing is asked
/// where nothing is changed.
///
/// # Errors
/// The answer is no, or nobody can be asked.
pub(crate) fn ask(scenario: &Scenario, stack: &str, yes: bool) -> anyhow::Result<()> {
    let changes = scenario.changes();
    if changes.is_empty() && scenario.leaves.is_none() {
        return Ok(());
    }
    tell(&format!("This changes the stack at {stack} while it is measured:"));
    for (before, during) in &changes {
        tell(&format!("  {before}\n    → {during}"));
    }
    if !changes.is_empty() {
        tell("It is changed back at the end, also after Ctrl-C.");
    }
    if let Some(leaves) = &scenario.leaves {
        tell(&format!("  {leaves}."));
    }
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        bail!("The stack is not changed without a yes: pass --yes");
    }
    tell("Go on? [y/N]");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        bail!("Nothing was changed, and nothing was sent");
    }
    Ok(())
}
