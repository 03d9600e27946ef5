//! The wire format of orders: HTTP bodies, the queue message and WebSocket frames. Clients depend on every shape here.
//!
//! `infra/openapi.yaml` and `infra/asyncapi.yaml` describe the same shapes, and the contract tests compare them.

mod frame;
mod order_body;
mod order_list;
mod order_view;
mod problem;
pub mod queue_message;

pub use frame::{ClientFrame, InvalidFrame, ServerFrame};
pub use order_body::{MAX_BODY_BYTES, parse_order_body};
pub use order_list::{OrderListView, OrderSummaryView, parse_cursor};
pub use order_view::{ItemView, OrderView, PendingView, QueuedView, StepView, SubmittedView};
pub use problem::{Problem, ViolationView};

/// Authorizer context key of a request's owner: the token's `sub`. Nothing else in the request names the owner.
pub const OWNER_CONTEXT: &str = "owner";

/// Authorizer context key of [`orders::Owner::message_group`], the `MessageGroupId` of the owner's queue messages.
pub const MESSAGE_GROUP_CONTEXT: &str = "messageGroup";

/// Checks that a token's `sub` can be an owner. If not, the authorizer refuses the token.
///
/// # Errors
/// [`orders::InvalidOwner`] if it cannot.
pub fn check_subject(subject: &str) -> Result<(), orders::InvalidOwner> {
    orders::Owner::parse(subject).map(|_| ())
}

/// Authorizer context key of the token's expiry: seconds since 1970, as text.
pub const EXPIRES_AT_CONTEXT: &str = "expiresAt";

/// The WebSocket subprotocol, which the server selects if the client offers it.
pub const SUBPROTOCOL: &str = "twolane.v1";

/// Prefix of a token, offered as a second subprotocol by a client that cannot send headers. The server never selects
/// it.
pub const SUBPROTOCOL_TOKEN_PREFIX: &str = "twolane.token.";
