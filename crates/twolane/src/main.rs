//! The command line of Twolane: places orders down any lane of a deployed stack, and shows when each is answered and
//! done.
//!
//! This crate has commands, options and output. `twolane-client` talks to a stack, `twolane-load` loads and measures
//! its lanes, and `twolane-report` evaluates the figures.

mod chart;
mod cli;
mod compare;
mod counters;
mod dead_letters;
mod fallback;
mod order;
mod output;
mod page;
mod plan;
mod progress;
mod report;
mod stack_args;
mod style;
mod summary;
mod table;
mod timeline_json;
mod token;
mod values;
mod watch;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;
use twolane_load::open_files;

/// Wrong usage: nothing was sent.
const USAGE: u8 = 2;

/// A figure breaks a required promise.
const PROMISE_BROKEN: u8 = 3;

/// A figure is worse than the baseline's.
const REGRESSION: u8 = 4;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            progress::say(&format!("error: {error:#}"));
            ExitCode::from(USAGE)
        }
    }
}

/// An error means that nothing was sent. Commands report later failures themselves.
fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    open_files::raise_limit();
    rustls::crypto::ring::default_provider().install_default().expect("nothing else chooses a TLS provider");
    // Only comparisons need several threads.
    let runtime = match cli.command {
        Command::Compare(_) => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Order(args) => order::run(args).await,
            Command::Watch(args) => watch::run(args).await,
            Command::Page(args) => page::command::run(args).await,
            Command::Dlq(args) => dead_letters::dlq::run(args).await,
            Command::Redrive(args) => dead_letters::redrive::run(args).await,
            Command::Stock(args) => counters::stock::run(args).await,
            Command::Account(args) => counters::account::run(args).await,
            Command::Compare(args) => Box::pin(compare::command::run(*args)).await,
            Command::Plan(args) => plan::command::run(&args).await,
            Command::Report(args) => report::run(&args),
            Command::Token(args) => token::run(&args),
        }
    });
    // Do not wait for a hanging name look-up.
    runtime.shutdown_background();
    result
}
