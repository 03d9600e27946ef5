//! The template, transformed offline by SAM's own translator: `infra/local/expand_template.py`.

use super::ParameterSet;
use crate::{node::local_tool, repository::root};
use serde_json::Value;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// A transformation's source.
pub struct Source {
    /// The REST API's definition.
    pub openapi: PathBuf,
    /// In seconds since 1970. SAM derives the name of a deployment from it.
    pub epoch: u64,
}

impl Default for Source {
    fn default() -> Self {
        Self { openapi: root().join("infra/openapi.yaml"), epoch: 1_764_111_600 }
    }
}

/// The template under each set of parameters.
///
/// # Panics
/// When SAM refuses the template.
pub fn expand(source: &Source, sets: &[ParameterSet]) -> Vec<Value> {
    let python = Path::new(&local_tool(&["tools", "sam"])).join("python");
    let mut command = Command::new(python);
    // The transformation calls no AWS service. Profiles and endpoints of the environment must not affect it.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("SOURCE_DATE_EPOCH", source.epoch.to_string());
    command.args(["infra/local/expand_template.py", "template.yaml"]).arg(&source.openapi).current_dir(root());
    let output = command.args(sets.iter().map(|set| serde_json::to_string(&set.given).unwrap())).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "SAM cannot transform template.yaml:\n{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
