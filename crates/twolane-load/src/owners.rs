//! The owners of the orders.

use crate::settings::LoadSettings;
use anyhow::{Context, bail};
use std::sync::Arc;
use twolane_client::issuer::{self, Issuer};
use twolane_client::requests::Requests;
use twolane_client::stack::Stack;
use twolane_client::token::{self, Token};

/// Default number of owners with a local issuer.
const LOCAL_OWNERS: u32 = 4;

#[derive(Clone)]
pub(crate) struct Owners {
    pub(crate) tokens: Vec<Token>,
    /// `None` if a token has no readable subject.
    pub(crate) subjects: Option<Vec<String>>,
}

impl Owners {
    /// Takes the given tokens, or else tokens of the local issuer.
    ///
    /// # Errors
    /// There are fewer tokens than owners, or they cannot be read or sent.
    pub(crate) fn find(load: &LoadSettings, token: Option<&str>, stack: &Stack) -> anyhow::Result<Self> {
        let given = token.map(str::trim).filter(|token| !token.is_empty());
        let local_issuer = stack.file().as_deref().and_then(issuer::next_to);
        let texts = match (&load.tokens, given) {
            (Some(path), _) => {
                let shown = path.display();
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("Failed to read tokens in {shown}"))?;
                let tokens: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                if tokens.is_empty() {
                    bail!("There are no tokens in {shown}");
                }
                tokens
            }
            (None, Some(token)) if load.owners.is_none() || local_issuer.is_none() => vec![token.to_owned()],
            // A token from the environment is for one owner. For more owners, the issuer makes the tokens.
            (None, _) => match local_issuer {
                Some(path) => {
                    let owners = load.owners.unwrap_or(LOCAL_OWNERS);
                    return Ok(Self::local(&Arc::new(Issuer::read(&path)?), owners));
                }
                None => return Ok(Self { tokens: vec![Token::None], subjects: None }),
            },
        };
        Self::given(&texts, load.owners)
    }

    fn local(issuer: &Arc<Issuer>, owners: u32) -> Self {
        let subjects: Vec<String> = (1..=owners).map(|number| format!("compare-{number}")).collect();
        let tokens = subjects.iter().map(|subject| Token::made(Arc::clone(issuer), subject)).collect();
        Self { tokens, subjects: Some(subjects) }
    }

    fn given(texts: &[String], owners: Option<u32>) -> anyhow::Result<Self> {
        let owners = owners.map_or(texts.len(), |owners| owners as usize);
        let Some(texts) = texts.get(..owners) else {
            bail!("{owners} owners need {owners} tokens, but only {} are given: pass --tokens", texts.len());
        };
        let tokens = texts.iter().map(|text| Token::given(text)).collect::<anyhow::Result<_>>()?;
        Ok(Self { tokens, subjects: texts.iter().map(|text| token::subject(text)).collect() })
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.tokens.len()).expect("it fits u32")
    }

    pub(crate) fn requests(&self, requests: &Requests) -> Vec<Requests> {
        self.tokens.iter().map(|token| requests.with_token(token.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_most_as_many_owners_as_tokens() {
        let texts = ["a".to_owned(), "b".to_owned()];

        assert_eq!(Owners::given(&texts, None).expect("two").count(), 2);
        assert_eq!(Owners::given(&texts, Some(1)).expect("one").count(), 1);
        let error = Owners::given(&texts, Some(3)).err().expect("too few").to_string();
        assert_eq!(error, "3 owners need 3 tokens, but only 2 are given: pass --tokens");
    }
}
