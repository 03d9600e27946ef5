//! Renders mapping templates with `render.mjs`, a Velocity engine that no emulator has.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};
use testkit::{node, repository::root};

type Parameters = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rendering<'a> {
    pub(super) template: &'a str,
    /// The caller's for a request template, the integration's for an answer template.
    pub(super) body: &'a str,
    pub(super) path: Parameters,
    pub(super) querystring: Parameters,
    /// By name in the caller's spelling.
    pub(super) header: Parameters,
    pub(super) context: Value,
    pub(super) stage_variables: Parameters,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) response_override: Override,
}

/// Set with `$context.responseOverride`.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(super) struct Override {
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) header: Parameters,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RenderResult {
    Rendered(Rendered),
    Failed { error: String },
}

/// For all tests. It ends when its standard input closes.
struct Engine {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _process: Child,
}

static ENGINE: OnceLock<Mutex<Engine>> = OnceLock::new();

impl Engine {
    fn start() -> Self {
        let mut command = Command::new("node");
        let command = command.arg("render.mjs").current_dir(root().join("tests/contract/mapping_templates"));
        let command = command.env("PATH", node::search_path());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { input, output: BufReader::new(output), _process: process }
    }

    fn render(&mut self, rendering: &Rendering<'_>) -> RenderResult {
        let mut line = serde_json::to_string(rendering).unwrap();
        line.push('\n');
        self.input.write_all(line.as_bytes()).unwrap();
        line.clear();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("render.mjs ended or wrote no result ({error}): {line}"))
    }
}

impl Rendering<'_> {
    /// # Panics
    /// When the template is not valid Velocity, or uses what API Gateway does not have.
    pub(super) fn render(&self) -> Rendered {
        let engine = ENGINE.get_or_init(|| Mutex::new(Engine::start()));
        // A test can fail while it holds the lock, but only after it has read its result.
        let result = engine.lock().unwrap_or_else(PoisonError::into_inner).render(self);
        match result {
            RenderResult::Rendered(rendered) => rendered,
            RenderResult::Failed { error } => panic!("{error}, in the template {}", self.template),
        }
    }
}

pub(super) fn parameters<const N: usize>(named: [(&str, &str); N]) -> Parameters {
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
