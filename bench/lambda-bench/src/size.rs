//! How large a bootstrap is, as a file and as AWS gets it.

use anyhow::Context;
use flate2::{Compression, write::DeflateEncoder};
use std::fs;
use std::io::Write;

/// Bytes of a bootstrap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Of the file.
    pub(crate) raw: u64,
    /// Of the file in an archive; what the archive itself adds is some hundred bytes.
    pub(crate) zipped: u64,
}

/// The size of a file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn of(file: &str) -> anyhow::Result<Size> {
    let bytes = fs::read(file).with_context(|| format!("Failed to read {file}"))?;
    // What zip archives are compressed by, at its usual level.
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    Ok(Size { raw: bytes.len() as u64, zipped: encoder.finish()?.len() as u64 })
}
