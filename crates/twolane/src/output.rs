//! Standard output, for results only.

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
