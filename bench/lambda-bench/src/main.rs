//! Measures what a Lambda function costs, outside of Lambda: this program is the Runtime API that its bootstrap talks
//! to and the AWS that it asks, and the kernel tells the rest.

mod backend;
mod bounds;
mod counts;
mod engine;
mod growth;
mod http;
mod process;
mod report;
mod runtime_api;
mod sample;
mod series;
mod size;
mod subject;
mod token;

use anyhow::Context;
use clap::{Args, Parser};
use engine::Engine;
use series::{Effort, measure};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Measures the project's functions and any bootstrap beside two floors: one that says hello, and one that writes one item
/// by the AWS SDK.
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
struct Cli {
    /// Folder of the bootstraps, as `cargo lambda build --lambda-dir FOLDER` makes it; the repository's target/bench without
    /// it, where `make bench` puts them.
    #[arg(long, value_name = "FOLDER")]
    bootstraps: Option<PathBuf>,
    /// A bootstrap to measure beside, as NAME=COMMAND or NAME=COMMAND@EVENTFILE.
    #[arg(long, value_name = "PEER", value_parser = parse_peer)]
    peer: Vec<subject::Subject>,
    /// Only what has this in its name, and the floors.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Lives of each bootstrap.
    #[arg(long, value_name = "LIVES", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Warm invocations of each life.
    #[arg(long, value_name = "INVOCATIONS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    warm: u32,
    /// The program dynoxide, a DynamoDB-compatible engine that stores what is written, instead of a stand-in that stores
    /// nothing. No bounds are checked then: the engine's own time is in what is measured.
    #[arg(long, value_name = "PROGRAM")]
    dynoxide: Option<PathBuf>,
    #[command(flatten)]
    counting: Counting,
    /// Also measure whether an order costs the same after 100 000 orders, for 10 000 owners, and what its items cost.
    #[arg(long)]
    growth: bool,
    /// Write JSON to standard output, and nothing else there.
    #[arg(long)]
    json: bool,
}

/// What is counted, by valgrind and strace.
#[derive(Debug, Args)]
struct Counting {
    /// Do not count instructions and system calls, which takes valgrind and strace.
    #[arg(long)]
    no_counts: bool,
    /// Folder for profiles of the counted instructions, which `callgrind_annotate` reads.
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_counts")]
    profiles: Option<PathBuf>,
    /// Make what is counted the baseline that later runs are compared with.
    #[arg(long, conflicts_with = "no_counts")]
    save_baseline: bool,
}

const HELP: &str = "\
Examples:
  make bench
  lambda-bench --rounds 5 --warm 100 --no-counts
  lambda-bench --only create-order --peer 'node=node bench/peers/node/bootstrap.mjs'
  lambda-bench --dynoxide ~/.cargo/bin/dynoxide
  lambda-bench --json > bench.json
  make bench ARGS=--growth

bench/peers has create-order for Node and for Python; docs/performance.md says how to install them.

Exit code: 0 when every bound holds or is known to be missed (docs/performance.md), 1 when one does not, 2 when nothing could be measured; \
`make bench` has 2 for both.";

fn parse_peer(text: &str) -> Result<subject::Subject, String> {
    subject::peer(text).map_err(|error| format!("{error:#}"))
}

/// Where `make bench` has bootstraps put.
const BOOTSTRAPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench");

/// Where the baseline is kept.
const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from);
    match runtime.and_then(|runtime| runtime.block_on(run(&cli))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether every bound holds, but for those that are known to be missed.
async fn run(cli: &Cli) -> anyhow::Result<bool> {
    if let Some(profiles) = &cli.counting.profiles {
        std::fs::create_dir_all(profiles).with_context(|| format!("Failed to make {}", profiles.display()))?;
    }
    let folder = cli.bootstraps.as_deref().unwrap_or(Path::new(BOOTSTRAPS));
    let subjects = subject::chosen(subject::of_project(folder)?, cli.only.as_deref(), &cli.peer)?;
    if !cli.counting.no_counts {
        counts::look_for_tools()?;
    }
    let scratch = std::env::temp_dir().join(format!("lambda-bench-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let effort = Effort {
        rounds: cli.rounds,
        warm: cli.warm,
        counts: !cli.counting.no_counts,
        profiles: cli.counting.profiles.clone(),
        engine: match &cli.dynoxide {
            Some(program) => Some(Arc::new(Engine::start(program).await?)),
            None => None,
        },
    };
    let measured = measure(subjects, &effort, &scratch).await;
    let growths = if cli.growth { growth::measure(folder, &scratch).await } else { Ok(Vec::new()) };
    std::fs::remove_dir_all(&scratch)?;
    let (measured, growths) = (measured?, growths?);
    let mut bounds = bounds::flat(&growths);
    if cli.dynoxide.is_none() {
        bounds.extend(bounds::all(&measured));
        bounds.extend(bounds::grown(&measured, Path::new(BASELINE))?);
    }
    if cli.counting.save_baseline {
        bounds::save(&measured, Path::new(BASELINE))?;
    }
    let shown = if cli.json {
        report::json(&measured, &growths, &bounds).to_string() + "\n"
    } else {
        report::text(&measured, &growths, &bounds)
    };
    std::io::stdout().write_all(shown.as_bytes())?;
    Ok(bounds.iter().all(|bound| bound.holds || bound.is_known_to_be_missed()))
}
