//! `twolane page`: serves a stack's page to a browser on this machine.

use super::server::{Served, Server};
use crate::cli::PageArgs;
use crate::output::Output;
use crate::progress::say;
use anyhow::{Context, bail};
use std::io::IsTerminal;
use std::process::{Command, ExitCode, Stdio};
use tokio::signal::ctrl_c;
use twolane_client::queue_depths::QueueDepths;
use twolane_client::stack::Stack;
use twolane_client::token::Token;

/// An error means that nothing was served.
pub(crate) async fn run(args: PageArgs) -> anyhow::Result<ExitCode> {
    let stack = Stack::find(&args.stack.address()).await?.with_all_outputs();
    let token = Token::find(args.stack.token.as_deref(), &stack)?;
    if matches!(token, Token::None) {
        bail!("The page needs a token: give --token or TWOLANE_TOKEN, or use a local stack");
    }
    let websocket_url = if stack.has_websocket_api() { Some(stack.websocket_url()?) } else { None };
    let queue_depths = QueueDepths::of_stack(&stack, &args.stack.address().deployed).await?;
    let of_stack = Served { api_url: stack.api_url()?, websocket_url, token, queue_depths };
    let server = Server::bind(args.port, of_stack).await.with_context(|| {
        format!(
            "Failed to listen on port {} of this machine. End what listens there, or give another --port",
            args.port
        )
    })?;
    let url = server.url();
    Output::stdout().line(&format!("{url}/")).context("Failed to write the page's address")?;
    say("Serving the page until Ctrl-C. While it runs, programs on this machine can order with its token.");
    if !args.no_browser {
        open(&url);
    }
    tokio::select! {
        () = server.serve() => {}
        _ = ctrl_c() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens a browser if there is a screen and a person before it.
fn open(url: &str) {
    let has_screen =
        cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !has_screen || !std::io::stdout().is_terminal() {
        return;
    }
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started =
        Command::new(program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if started.is_err() {
        say(&format!("{program} was not found: open the address yourself."));
    }
}
