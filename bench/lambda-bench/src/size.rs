//! The size of a bootstrap in the deployed archive.

use anyhow::Context;
use flate2::{Compression, write::DeflateEncoder};
use std::fs;
use std::io::Write;

/// In bytes, with default compression. The archive adds a few hundred bytes.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn archived_bytes(file: &str) -> anyhow::Result<u32> {
    let bytes = fs::read(file).with_context(|| format!("Failed to read {file}"))?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    Ok(u32::try_from(encoder.finish()?.len())?)
}
