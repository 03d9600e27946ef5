//! The default file for a stack's saved settings: one per stack, found from any folder.

use anyhow::Context;
use std::env;
use std::fs;
use std::path::PathBuf;

/// Creates the file's folder. Source: XDG Base Directory Specification, `$XDG_STATE_HOME`.
///
/// # Errors
/// There is no home folder, or the file system refuses.
pub(crate) fn default_file(stack: &str) -> anyhow::Result<PathBuf> {
    // The specification requires ignoring relative paths.
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(env::home_dir()?.join(".local/state")));
    let folder = state.context("There is no home folder for the stack's settings: pass --settings-file")?;
    let folder = folder.join("twolane");
    fs::create_dir_all(&folder).with_context(|| format!("Failed to make the folder {}", folder.display()))?;
    Ok(folder.join(format!("settings-{}.json", file_name(stack))))
}

/// The URL without its scheme, in characters for file names.
fn file_name(stack: &str) -> String {
    let address = stack.split_once("://").map_or(stack, |(_, address)| address).trim_end_matches('/');
    address.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stack_has_a_separate_file() {
        assert_eq!(
            file_name("http://localhost:4566/_aws/execute-api/ab12/live"),
            "localhost-4566--aws-execute-api-ab12-live"
        );
        assert_eq!(
            file_name("https://ab12.execute-api.eu-central-1.amazonaws.com/live/"),
            "ab12.execute-api.eu-central-1.amazonaws.com-live"
        );
        assert_eq!(file_name("https://api.example.com/"), "api.example.com");
    }
}
