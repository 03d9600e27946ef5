//! Sockets that an owner has open.

use crate::{Owner, Timestamp};
use std::{fmt, time::Duration};
use thiserror::Error;

/// The id that the WebSocket API gave a connection: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(String);

/// The text cannot be a connection id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 128 visible ASCII characters")]
pub struct InvalidConnectionId;

impl ConnectionId {
    /// Longest connection id read, in characters; those of API Gateway have 16.
    const MAX_CHARS: usize = 128;

    /// Reads a connection id.
    ///
    /// # Errors
    /// [`InvalidConnectionId`] for anything but 1 to 128 visible ASCII characters.
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
    /// Whose socket it is.
    pub owner: Owner,
    /// How the WebSocket API calls it.
    pub id: ConnectionId,
    /// When it opened.
    pub connected_at: Timestamp,
}

impl Connection {
    /// How long a row may outlive its socket: API Gateway closes every socket after 2 hours, and 10 minutes are for
    /// its own delay. Source: Amazon API Gateway Developer Guide, quotas of WebSocket APIs, "Connection duration".
    pub const MAX_DURATION: Duration = Duration::from_mins(2 * 60 + 10);

    /// How long a socket may take to open: API Gateway waits that long for the answer to `$connect`, and a second is
    /// for its own delay. Source: Amazon API Gateway Developer Guide, quotas of WebSocket APIs, "Integration timeout".
    const MAX_OPENING: Duration = Duration::from_secs(30);

    /// Whether the socket must be open by `now`, unless it is closed. Until then a socket that cannot be reached may
    /// be one that is just opening.
    #[must_use]
    pub fn is_established(&self, now: Timestamp) -> bool {
        now >= self.connected_at.plus(Self::MAX_OPENING)
    }

    /// When the row may be forgotten, whatever became of the socket.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.connected_at.plus(Self::MAX_DURATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expires_a_little_after_the_socket_must_have_closed() {
        let connection = Connection {
            owner: Owner::parse("alice").expect("visible ASCII"),
            id: ConnectionId::parse("L0SM9cOFvHcCIhw=").expect("visible ASCII"),
            connected_at: Timestamp::from_unix_ms(0).expect("in range"),
        };

        assert_eq!(connection.expires_at().to_string(), "1970-01-01T02:10:00.000Z");
    }

    #[test]
    fn is_established_once_it_cannot_be_opening_any_more() {
        let connection = Connection {
            owner: Owner::parse("alice").expect("visible ASCII"),
            id: ConnectionId::parse("L0SM9cOFvHcCIhw=").expect("visible ASCII"),
            connected_at: Timestamp::from_unix_ms(0).expect("in range"),
        };
        let at = |unix_ms| Timestamp::from_unix_ms(unix_ms).expect("in range");

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
