//! Standard output, for results only.

use crate::fallback;
use crate::progress::say;
use std::fs::File;
use std::io::{self, ErrorKind, StdoutLock, Write};

/// Standard output, held for the whole run.
///
/// If the reader closes it (`| head`), the command still places all orders.
pub(crate) struct Output<W = StdoutLock<'static>> {
    writer: W,
    closed: bool,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Self::new(io::stdout().lock())
    }
}

impl<W: Write> Output<W> {
    fn new(writer: W) -> Self {
        Self { writer, closed: false }
    }

    /// Writes lines at once.
    ///
    /// # Errors
    /// The operating system's, unless the reader closed the output.
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

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// Results of work that cannot be repeated. If standard output fails, a file saves them.
pub(crate) struct Results<W = StdoutLock<'static>> {
    output: Output<W>,
    /// End of the fallback file's name.
    name: &'static str,
    fallback: Fallback,
}

/// Where results go when standard output fails.
enum Fallback {
    Unused,
    /// The file for results.
    File(File),
    /// Results are dropped.
    Failed,
}

impl Results {
    /// `name` is the end of the file's name.
    pub(crate) fn stdout(name: &'static str) -> Self {
        Self { output: Output::stdout(), name, fallback: Fallback::Unused }
    }
}

impl<W: Write> Results<W> {
    /// Writes lines at once. When standard output fails, reports the error and the file, once.
    pub(crate) fn line(&mut self, text: &str) {
        let file = match &mut self.fallback {
            Fallback::Unused => {
                if let Err(error) = self.output.line(text) {
                    say(&format!("error: Failed to write the result: {error}"));
                    self.fall_back(text);
                }
                return;
            }
            Fallback::File(file) => file,
            Fallback::Failed => return,
        };
        if let Err(error) = writeln!(file, "{text}") {
            say(&format!("error: Failed to save more of the result: {error}"));
            self.fallback = Fallback::Failed;
        }
    }

    fn fall_back(&mut self, text: &str) {
        self.fallback = match fallback::file(self.name, text) {
            Ok((file, path)) => {
                say(&format!("The rest of the result is in {}", path.display()));
                Fallback::File(file)
            }
            Err(error) => {
                say(&format!("error: Failed to save the result in a file as well: {error:#}"));
                Fallback::Failed
            }
        };
    }

    /// Whether standard output took everything, or its reader closed it.
    pub(crate) fn are_written(&self) -> bool {
        matches!(self.fallback, Fallback::Unused)
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
    fn continues_after_the_reader_closed_the_output() {
        let mut output = Output::new(Failing(ErrorKind::BrokenPipe));

        assert!(output.line("one").is_ok());

        assert!(output.is_closed());
        assert!(output.line("two").is_ok());
    }

    #[test]
    fn reports_a_full_disk() {
        let mut output = Output::new(Failing(ErrorKind::StorageFull));

        assert!(output.line("one").is_err());
    }
}
