//! Standard output, for results only.

use crate::kept;
use crate::progress::tell;
use std::fs::File;
use std::io::{self, ErrorKind, StdoutLock, Write};

/// Standard output, held for the whole run.
///
/// A reader that goes away (`| head`) is no error: orders are still placed to the end, unseen.
pub(crate) struct Output<W = StdoutLock<'static>> {
    writer: W,
    closed: bool,
}

impl Output {
    /// Takes hold of standard output.
    pub(crate) fn stdout() -> Self {
        Self::new(io::stdout().lock())
    }
}

impl<W: Write> Output<W> {
    fn new(writer: W) -> Self {
        Self { writer, closed: false }
    }

    /// Writes one line, or several, at once.
    ///
    /// # Errors
    /// What the operating system says, but for a reader that went away.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match writeln!(self.writer, "{text}").and_then(|()| self.writer.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }

    /// Whether the reader went away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// Results of work that is done once: what cannot be written to standard output is kept in a file.
pub(crate) struct Results<W = StdoutLock<'static>> {
    output: Output<W>,
    /// The end of the file's name.
    name: &'static str,
    kept: Kept,
}

/// What could not be written to standard output.
enum Kept {
    /// Nothing so far.
    Nothing,
    /// It is in this file.
    File(File),
    /// It is nowhere.
    Lost,
}

impl Results {
    /// For standard output, of which it takes hold; `name` is the end of the name of the file.
    pub(crate) fn stdout(name: &'static str) -> Self {
        Self { output: Output::stdout(), name, kept: Kept::Nothing }
    }
}

impl<W: Write> Results<W> {
    /// Writes one line, or several, at once. The first time that standard output fails, says so, and where the results are.
    pub(crate) fn line(&mut self, text: &str) {
        let file = match &mut self.kept {
            Kept::Nothing => {
                if let Err(error) = self.output.line(text) {
                    tell(&format!("error: Failed to write the result: {error}"));
                    self.keep(text);
                }
                return;
            }
            Kept::File(file) => file,
            Kept::Lost => return,
        };
        if let Err(error) = writeln!(file, "{text}") {
            tell(&format!("error: Nor can more of it be kept: {error}"));
            self.kept = Kept::Lost;
        }
    }

    fn keep(&mut self, text: &str) {
        self.kept = match kept::file(self.name, text) {
            Ok((file, path)) => {
                tell(&format!("The result from there on is in {}", path.display()));
                Kept::File(file)
            }
            Err(error) => {
                tell(&format!("error: Nor can it be kept in a file: {error:#}"));
                Kept::Lost
            }
        };
    }

    /// Whether everything was written to standard output, or its reader went away.
    pub(crate) fn are_written(&self) -> bool {
        matches!(self.kept, Kept::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn goes_on_without_its_reader() {
        let mut output = Output::new(Failing(ErrorKind::BrokenPipe));

        assert!(output.line("one").is_ok());

        assert!(output.is_closed());
        assert!(output.line("two").is_ok());
    }

    #[test]
    fn tells_that_the_disk_is_full() {
        let mut output = Output::new(Failing(ErrorKind::StorageFull));

        assert!(output.line("one").is_err());
    }
}
