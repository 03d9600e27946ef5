//! The page in the browser.

pub(crate) mod command;
mod files;
mod server;
