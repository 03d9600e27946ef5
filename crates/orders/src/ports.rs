//! What the use cases need from the outside, in the words of the domain.

use crate::{Ballot, Connection, ConnectionId, Deadline, Order, OrderId, Outcome, Owner, RepositoryError, Violations};
use std::{borrow::Cow, future::Future, ops::AddAssign};
use thiserror::Error;

/// Keeps orders.
pub trait OrderRepository {
    /// Stores `order` unless its owner has used its id before.
    ///
    /// An implementation MUST decide and write in one atomic step: of any number of concurrent calls for one id
    /// exactly one stores. It MUST replace a stored order only when that order failed and has the same fingerprint.
    /// It MUST answer [`StoreOutcome::Exists`] with the stored order otherwise, and an order reported as stored MUST
    /// survive.
    fn store(&self, order: &Order) -> impl Future<Output = Result<StoreOutcome, RepositoryError>> + Send;

    /// The owner's order with that id. Sees every order whose `store` has returned.
    fn find(&self, owner: &Owner, id: &OrderId) -> impl Future<Output = Result<Option<Order>, RepositoryError>> + Send;
}

/// What [`OrderRepository::store`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOutcome {
    /// The order is stored now.
    Stored,
    /// Nothing was written: this order has the id.
    Exists(Order),
}

/// Decides placed orders of the bus lane.
///
/// Each method MUST check and write in one atomic step, and MUST change an order only while it is placed and has the given
/// fingerprint. So exactly one call decides an order, whatever the number and the order of calls. What a call returns MUST
/// include every change before it.
pub trait SettlementRepository {
    /// Records a step's vote unless the step voted before, and decides in the same write: `refused` and `failed` cancel the
    /// order, and a `held` confirms it when every other step holds.
    fn vote(&self, ballot: &Ballot) -> impl Future<Output = Result<SettleOutcome, RepositoryError>> + Send;

    /// Cancels an order whose deadline passed.
    fn cancel_overdue(
        &self,
        deadline: &Deadline,
    ) -> impl Future<Output = Result<SettleOutcome, RepositoryError>> + Send;

    /// Marks a decided order: its decision was perhaps not published. The other methods then answer
    /// [`SettleOutcome::Unpublished`] for it.
    fn mark_unpublished(&self, order: &Order) -> impl Future<Output = Result<(), RepositoryError>> + Send;
}

/// What a method of [`SettlementRepository`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The vote is recorded; the order is not decided.
    Recorded,
    /// This call decided the order.
    Decided(Order),
    /// Nothing was written: the order is decided, the step voted before, or another order has the id. This is the order.
    Unchanged(Order),
    /// Nothing was written: the order is decided, and marked, as its decision was perhaps not published. This is the order.
    Unpublished(Order),
    /// Nothing was written: no order has the id.
    Missing,
}

/// Keeps which sockets an owner has open.
pub trait ConnectionRepository {
    /// Remembers an open socket; a repeat changes nothing.
    fn add(&self, connection: &Connection) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Forgets one socket of the owner and no other; forgetting an unknown one is no error.
    fn remove(&self, owner: &Owner, id: &ConnectionId) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Every socket of the owner, expired ones possibly among them.
    fn list(&self, owner: &Owner) -> impl Future<Output = Result<Vec<Connection>, RepositoryError>> + Send;
}

/// What an owner is notified of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The order is confirmed.
    Confirmed(Order),
    /// The order is cancelled for good.
    Cancelled(Order),
    /// The order is refused for good.
    Rejected {
        /// The id of the order; a malformed one as the caller gave it.
        order_id: String,
        /// Why.
        reason: String,
        /// What is wrong with the order's content, if that is why.
        violations: Violations,
    },
    /// The order was given up after its last delivery and may yet be confirmed by a redrive.
    Failed {
        /// The id of the order.
        order_id: String,
        /// Why.
        reason: String,
    },
}

impl Notification {
    /// What the owner is notified of an order as it stands; `None` while it is not decided.
    #[must_use]
    pub fn of(order: &Order) -> Option<Self> {
        let order_id = order.id.to_string();
        match &order.outcome {
            Outcome::Placed { .. } => None,
            Outcome::Confirmed { .. } => Some(Self::Confirmed(order.clone())),
            Outcome::Cancelled { .. } => Some(Self::Cancelled(order.clone())),
            Outcome::Rejected { reason } => {
                Some(Self::Rejected { order_id, reason: reason.clone(), violations: Violations::default() })
            }
            Outcome::Failed { reason } => Some(Self::Failed { order_id, reason: reason.clone() }),
        }
    }

    /// The id of the order that it is about; a malformed one as the caller gave it.
    #[must_use]
    pub fn order_id(&self) -> Cow<'_, str> {
        match self {
            Self::Confirmed(order) | Self::Cancelled(order) => order.id.to_string().into(),
            Self::Rejected { order_id, .. } | Self::Failed { order_id, .. } => order_id.into(),
        }
    }
}

/// Notifies owners of the outcomes of their orders.
pub trait Notifier {
    /// Sends every notification to every open socket of `owner`, at least once while it stays open.
    ///
    /// Call it after the writes that the notifications are about. An implementation MUST look the owner's sockets up after
    /// it is called, and MUST see every socket that was added before: a socket that subscribed before the write, and so did
    /// not see its outcome, is then among them. One socket's failure MUST NOT keep the others from being notified. A socket
    /// that is gone is forgotten, it alone, unless it may be one that is just opening. An expired socket MUST NOT be
    /// notified: it is closed and then forgotten.
    fn notify(
        &self,
        owner: &Owner,
        notifications: &[Notification],
    ) -> impl Future<Output = Result<NotificationReport, NotifyError>> + Send;
}

/// Without a notifier there is no callback: owners ask the status service.
impl<N: Notifier + Sync> Notifier for Option<N> {
    async fn notify(&self, owner: &Owner, notifications: &[Notification]) -> Result<NotificationReport, NotifyError> {
        match self {
            Some(notifier) => notifier.notify(owner, notifications).await,
            None => Ok(NotificationReport::default()),
        }
    }
}

/// How many frames reached the owner's sockets: one a notification and socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationReport {
    /// Frames that a socket took.
    pub sent: usize,
    /// Frames for sockets that were gone, or not there yet.
    pub gone: usize,
    /// Frames for sockets whose session was over: they were not sent.
    pub expired: usize,
    /// Frames that a socket should have taken and did not, after retries.
    pub dropped: usize,
}

impl AddAssign for NotificationReport {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.gone += other.gone;
        self.expired += other.expired;
        self.dropped += other.dropped;
    }
}

/// Why no socket was notified.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// The owner's sockets could not be looked up.
    #[error("failed to list the owner's connections")]
    Connections(#[from] RepositoryError),
}
