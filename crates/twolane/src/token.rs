//! `twolane token`: prints an access token for the local stack.

use crate::cli::TokenArgs;
use crate::output::Output;
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;
use twolane_client::issuer::{self, Issuer};
use twolane_client::stack::Stack;

pub(crate) fn run(args: &TokenArgs) -> anyhow::Result<ExitCode> {
    let issuer = Issuer::read(&issuer_file(args)?)?;
    let mut output = Output::stdout();
    output.line(&issuer.token(&args.subject, args.ttl, SystemTime::now())).context("Failed to write the token")?;
    Ok(ExitCode::SUCCESS)
}

fn issuer_file(args: &TokenArgs) -> anyhow::Result<PathBuf> {
    if let Some(path) = &args.issuer {
        return Ok(path.clone());
    }
    match Stack::local_outputs()?.as_deref().and_then(issuer::next_to) {
        Some(path) => Ok(path),
        None => bail!(
            "No local issuer found: --issuer is not given, and no {} is next to the outputs of a local stack. Run \
             `make up` to start one. For another stack, get a token from its own issuer.",
            issuer::FILE_NAME
        ),
    }
}
