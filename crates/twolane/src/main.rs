//! The command line of Twolane: places orders down either lane of a deployed stack and shows what comes back, when.
//!
//! For those who order it is a client like any other: it knows the stack by its URLs, over HTTP and WebSocket, and
//! nothing of what is behind them. For those who operate the stack it looks into the dead-letter queue by AWS's own APIs.

mod aws;
mod callbacks;
mod chart;
mod cli;
mod compare;
mod dead_letters;
mod issuer;
mod lane;
mod money;
mod order;
mod order_file;
mod orders_table;
mod output;
mod progress;
mod report;
mod requests;
mod signals;
mod socket;
mod stack;
mod style;
mod summary;
mod timeline;
mod token;
mod watch;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

/// Wrong usage: nothing was sent.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            progress::tell(&format!("error: {error:#}"));
            ExitCode::from(USAGE)
        }
    }
}

/// Runs one command. An error means that nothing was sent; what goes wrong later is the command's own to tell.
fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    rustls::crypto::ring::default_provider().install_default().expect("nothing else chooses a TLS provider");
    // Only a comparison has more to do than one thread can.
    let runtime = match cli.command {
        Command::Compare(_) => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Order(args) => order::run(args).await,
            Command::Watch(args) => watch::run(args).await,
            Command::Dlq(args) => dead_letters::dlq::run(args).await,
            Command::Redrive(args) => dead_letters::redrive::run(args).await,
            Command::Compare(args) => Box::pin(compare::command::run(*args)).await,
            Command::Report(args) => compare::report::command::run(&args),
            Command::Token(args) => token::run(&args),
        }
    });
    // A name look-up that still hangs must not keep the program from ending.
    runtime.shutdown_background();
    result
}
