//! The wire format of orders: HTTP bodies, the queue message and WebSocket frames, and their conversion to and from
//! the domain.
//!
//! Every shape here is a promise to clients. `infra/openapi.yaml` and `infra/asyncapi.yaml` describe the same shapes,
//! and the contract tests hold the two together.

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

/// What the authorizer tells the APIs of a request's owner: the token's subject. No header, path, query or body of a
/// caller is ever consulted.
pub const OWNER_CONTEXT: &str = "owner";

/// What the authorizer supplies for the `MessageGroupId` of an owner's queue messages: [`orders::Owner::message_group`].
pub const MESSAGE_GROUP_CONTEXT: &str = "messageGroup";

/// Whether a token's subject can be an owner: the authorizer refuses a token of any other.
///
/// # Errors
/// [`orders::InvalidOwner`] where it cannot.
pub fn check_subject(subject: &str) -> Result<(), orders::InvalidOwner> {
    orders::Owner::parse(subject).map(|_| ())
}

/// What the authorizer tells the APIs of a request's token: when it expires, in seconds since 1970, as text.
pub const EXPIRES_AT_CONTEXT: &str = "expiresAt";

/// The WebSocket subprotocol that is spoken, and answered when it is offered.
pub const SUBPROTOCOL: &str = "twolane.v1";

/// Before the token of a client that can send no header, offered as a second subprotocol beside [`SUBPROTOCOL`]. It is
/// never answered.
pub const SUBPROTOCOL_TOKEN_PREFIX: &str = "twolane.token.";
