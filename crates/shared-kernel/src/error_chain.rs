use std::{error::Error, fmt};

/// An error and all its sources in one line, separated by `: `. Only for logs: clients must not see causes.
///
/// In this project, an error's message says what failed, and its source says why.
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RepositoryError;

    #[test]
    fn names_every_cause() {
        let error = RepositoryError::Throttled("ThrottlingException".into());

        assert_eq!(ErrorChain(&error).to_string(), "the database is over its limit: ThrottlingException");
    }
}
