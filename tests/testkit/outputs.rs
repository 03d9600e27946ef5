//! The outputs of the stack under test: the file that `TWOLANE_OUTPUTS` names, or the nearest `.local/outputs.json`.

use crate::repository::root;
use serde_json::Value;
use std::{env, fs, path::PathBuf, sync::OnceLock};

pub(crate) const HOW: &str = "These tests need a deployed stack. Either run them on a separate one:\n  \
    python3 infra/local exec -- cargo test -p twolane-tests\n\
    or on one that is up, after `make up`:\n  \
    eval \"$(python3 infra/local env)\" && cargo test -p twolane-tests\n\
    On AWS: make smoke STACK=name.";

/// An output of the stack.
pub fn output(name: &str) -> &'static str {
    outputs()[name].as_str().unwrap_or_else(|| panic!("The outputs of the stack have no {name}: deploy it again"))
}

/// The outputs' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    outputs().as_object().expect("outputs are a JSON object").keys().map(String::as_str)
}

fn outputs() -> &'static Value {
    static OUTPUTS: OnceLock<Value> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        let path = outputs_path();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("Failed to read the outputs of the stack from {}: {error}.\n{HOW}", path.display())
        });
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()))
    })
}

pub(crate) fn outputs_path() -> PathBuf {
    if let Some(path) = env::var_os("TWOLANE_OUTPUTS") {
        return path.into();
    }
    let mut candidates = root().ancestors().map(|folder| folder.join(".local/outputs.json"));
    candidates
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("TWOLANE_OUTPUTS is not set, and .local/outputs.json does not exist.\n{HOW}"))
}
