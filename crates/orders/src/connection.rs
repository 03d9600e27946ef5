use crate::{Owner, Timestamp};
use std::{fmt, time::Duration};
use thiserror::Error;

/// A connection's id in the WebSocket API: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(String);

/// The text cannot be a connection id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 128 visible ASCII characters")]
pub struct InvalidConnectionId;

impl ConnectionId {
    /// In characters. API Gateway's ids have 16.
    const MAX_CHARS: usize = 128;

    /// Reads a connection id.
    ///
    /// # Errors
    /// [`InvalidConnectionId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidConnectionId> {
        let acceptable =
            (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        acceptable.then(|| Self(text.to_owned())).ok_or(InvalidConnectionId)
    }

    /// The id as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One open socket of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The socket's owner.
    pub owner: Owner,
    /// Its id in the WebSocket API.
    pub id: ConnectionId,
    /// When it opened.
    pub connected_at: Timestamp,
    /// It must not be notified from then on.
    pub expires_at: Timestamp,
}

impl Connection {
    /// Longest life of a row: API Gateway closes every socket after 2 hours, plus 10 minutes for its delay. Source:
    /// Amazon API Gateway Developer Guide, quotas of WebSocket APIs, "Connection duration".
    pub const MAX_DURATION: Duration = Duration::from_mins(2 * 60 + 10);

    /// How long a socket may take to open: API Gateway waits up to 29 seconds for the answer to `$connect`; its own
    /// delay adds one. Source: as above, "Integration timeout".
    const MAX_OPENING: Duration = Duration::from_secs(30);

    /// It expires with its session, or after [`Connection::MAX_DURATION`].
    #[must_use]
    pub fn open(owner: Owner, id: ConnectionId, connected_at: Timestamp, session_ends_at: Timestamp) -> Self {
        Self { owner, id, connected_at, expires_at: connected_at.plus(Self::MAX_DURATION).min(session_ends_at) }
    }

    /// Whether it has finished opening by `now`. Until then, a socket that cannot be reached may be just opening.
    #[must_use]
    pub fn is_established(&self, now: Timestamp) -> bool {
        now >= self.connected_at.plus(Self::MAX_OPENING)
    }

    /// Whether its session has ended by `now`, or API Gateway must have closed it.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix_ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(unix_ms).expect("in range")
    }

    fn open(session_ends_at: Timestamp) -> Connection {
        let owner = Owner::parse("alice").expect("visible ASCII");
        let id = ConnectionId::parse("L0SM9cOFvHcCIhw=").expect("visible ASCII");
        Connection::open(owner, id, at(0), session_ends_at)
    }

    #[test]
    fn expires_with_its_session() {
        let connection = open(at(3_600_000));

        assert!(!connection.is_expired(at(3_599_999)));
        assert!(connection.is_expired(at(3_600_000)));
    }

    #[test]
    fn expires_at_the_latest_a_little_after_the_socket_must_have_closed() {
        assert_eq!(open(at(86_400_000)).expires_at.to_string(), "1970-01-01T02:10:00.000Z");
    }

    #[test]
    fn is_established_after_the_longest_opening() {
        let connection = open(at(3_600_000));

        assert!(!connection.is_established(at(29_999)));
        assert!(connection.is_established(at(30_000)));
    }

    #[test]
    fn refuses_ids_that_api_gateway_does_not_make() {
        for text in ["", "a b", "ü", &"x".repeat(129)] {
            assert_eq!(ConnectionId::parse(text), Err(InvalidConnectionId), "{text:?}");
        }
    }
}
