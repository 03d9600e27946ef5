//! Measures the cost of Lambda functions outside of Lambda: this program is the Runtime API and the AWS that a
//! bootstrap calls. Processor time and memory are the kernel's figures.

mod backend;
mod bounds;
mod counts;
mod events;
mod growth;
mod http;
mod metrics;
mod process;
mod records;
mod report;
mod runtime_api;
mod sample;
mod series;
mod size;
mod subject;
mod template;
mod token;

use bounds::{Bound, Bounds};
use clap::{Args, Parser};
use metrics::Results;
use series::Effort;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure the cost of the project's functions as multiples of two floors: hello-floor returns a greeting, sdk-floor
/// writes one item with the AWS SDK.
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
struct Cli {
    /// Folder of the bootstraps, as written by `cargo lambda build --lambda-dir FOLDER`. Default: target/bench of the
    /// repository, which `make bench` fills.
    #[arg(long, value_name = "FOLDER")]
    bootstraps: Option<PathBuf>,
    /// Also measure another bootstrap: NAME=COMMAND or NAME=COMMAND@EVENTFILE.
    #[arg(long, value_name = "PEER", value_parser = parse_peer)]
    peer: Vec<subject::Subject>,
    /// Measure only the floors, and functions with NAME in their name.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Number of starts of each bootstrap.
    #[arg(long, value_name = "ROUNDS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Number of warm invocations after each start.
    #[arg(long, value_name = "INVOCATIONS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    warm: u32,
    #[command(flatten)]
    counting: Counting,
    /// Also measure whether an order costs the same after 100 000 orders and for 10 000 owners, and the cost of items.
    #[arg(long)]
    growth: bool,
    /// File of the bounds. Default: bench/bounds.toml of the repository.
    #[arg(long, value_name = "FILE")]
    bounds: Option<PathBuf>,
    /// Set the bounds of ratios and counts to 5 % above this run's figures.
    #[arg(long)]
    save_bounds: bool,
    /// Write only JSON to standard output.
    #[arg(long)]
    json: bool,
}

impl Cli {
    fn requests(&self, subject: &str, metric: &str) -> bool {
        let is_floor = [subject::HELLO_FLOOR, subject::SDK_FLOOR].contains(&subject);
        let is_chosen = is_floor || self.only.as_deref().is_none_or(|only| subject.contains(only));
        let is_counted = !self.counting.no_counts || !metrics::is_counted(metric);
        is_chosen && is_counted && (self.growth || !metrics::is_growth(metric))
    }
}

/// Options for counting with valgrind and strace.
#[derive(Debug, Args)]
struct Counting {
    /// Do not count instructions and system calls, which needs valgrind and strace.
    #[arg(long)]
    no_counts: bool,
    /// Folder for profiles of the counted instructions, which `callgrind_annotate` reads.
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_counts")]
    profiles: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  make bench
  make bench ARGS=--growth
  lambda-bench --rounds 5 --warm 100 --no-counts
  lambda-bench --only create-order --peer 'node=node bench/peers/node/bootstrap.mjs'
  lambda-bench --json > bench.json

bench/peers has create-order for Node and for Python. docs/performance.md says how to install them.

Exit codes:
  0  every bound holds
  1  a figure exceeds its bound or is missing, or a result could not be written
  2  nothing could be measured
make bench exits with 2 instead of 1.";

fn parse_peer(text: &str) -> Result<subject::Subject, String> {
    subject::peer(text).map_err(|error| format!("{error:#}"))
}

const BOOTSTRAPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench");

const BOUNDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bounds.toml");

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

/// Series of rounds for a subject that exceeds a bound of a time. Their median counts: ratios of times vary more between
/// series than within one.
const SERIES: usize = 3;

/// Returns whether every bound holds.
async fn run(cli: &Cli) -> anyhow::Result<bool> {
    if let Some(profiles) = &cli.counting.profiles {
        counts::prepare(profiles)?;
    }
    let folder = cli.bootstraps.as_deref().unwrap_or(Path::new(BOOTSTRAPS));
    let project = subject::of_project(folder)?;
    let names: Vec<&str> = project.iter().map(|one| one.name.as_str()).collect();
    let file = cli.bounds.as_deref().unwrap_or(Path::new(BOUNDS));
    let mut bounds = Bounds::read(file, &names)?;
    if cli.save_bounds {
        bounds::can_save(file)?;
    }
    if !cli.counting.no_counts {
        counts::require_tools()?;
    }
    let scratch = std::env::temp_dir().join(format!("lambda-bench-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let effort = Effort {
        rounds: cli.rounds,
        warm: cli.warm,
        counts: !cli.counting.no_counts,
        profiles: cli.counting.profiles.clone(),
    };
    let all = async {
        let records = series::record(&project, &scratch).await?;
        let subjects = subject::chosen(project.clone(), cli.only.as_deref(), &cli.peer)?;
        let measured = series::measure(subjects, &records, &effort, &scratch).await?;
        let growths = if cli.growth { growth::measure(folder, &records, &scratch).await? } else { Vec::new() };
        let mut results = Results::new(&measured, &growths);
        let slow = if cli.save_bounds { BTreeSet::new() } else { bounds.slow_subjects(&results) };
        if !slow.is_empty() {
            let mut further = Vec::new();
            for _ in 1..SERIES {
                let is_slow = |name: &str| slow.contains(name);
                further.push(series::measure_again(&measured, is_slow, &records, &effort, &scratch).await?);
            }
            results.add_series(&further);
        }
        anyhow::Ok((measured, growths, results, slow))
    };
    let all = all.await;
    std::fs::remove_dir_all(&scratch)?;
    let (measured, growths, results, slow) = all?;
    let mut saved = Ok(());
    if cli.save_bounds {
        saved = bounds::save(file, &results);
        if saved.is_ok() {
            bounds = Bounds::read(file, &names)?;
        }
    }
    let bounds = bounds.check(&results, |subject, metric| cli.requests(subject, metric));
    let report = if cli.json {
        report::json(&measured, &growths, &bounds).to_string() + "\n"
    } else {
        report::text(&measured, &growths, &bounds, &slow)
    };
    let written = deliver(&report, std::io::stdout());
    // Failed writes are reported after the figures.
    let unwritten = measured.iter().filter_map(|one| one.unwritten.as_ref());
    let problems: Vec<_> = unwritten.chain(saved.as_ref().err()).chain(written.as_ref().err()).collect();
    for problem in &problems {
        let _ = writeln!(std::io::stderr(), "error: {problem:#}");
    }
    Ok(problems.is_empty() && bounds.iter().all(Bound::holds))
}

/// Writes the report to the output, or if that fails, to a temporary file.
///
/// # Errors
/// The output failed. The message names the temporary file.
fn deliver(report: &str, mut output: impl Write) -> anyhow::Result<()> {
    let Err(error) = output.write_all(report.as_bytes()).and_then(|()| output.flush()) else { return Ok(()) };
    let file = std::env::temp_dir().join(format!("lambda-bench-{}-report", std::process::id()));
    let kept = std::fs::OpenOptions::new().write(true).create_new(true).open(&file);
    Err(match kept.and_then(|mut file| file.write_all(report.as_bytes())) {
        Ok(()) => {
            anyhow::Error::from(error).context(format!("Failed to write the report, which is in {}", file.display()))
        }
        Err(other) => {
            anyhow::anyhow!("Failed to write the report: {error}; failed to write {}: {other}", file.display())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_cannot_be_written_is_kept_in_a_file() {
        // An output without room.
        let error = format!("{:#}", deliver("figures", [].as_mut_slice()).expect_err("it has no room"));

        let (_, kept) = error.split_once("Failed to write the report, which is in ").expect("it is kept");
        let (path, _) = kept.split_once(": ").expect("why it was not written");
        let report = std::fs::read_to_string(path).expect("it is there");
        std::fs::remove_file(path).expect("it is there");
        assert_eq!(report, "figures");
    }
}
