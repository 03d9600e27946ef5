//! The ports of the use cases.

use crate::{
    Ballot, Connection, ConnectionId, Deadline, Order, OrderId, Outcome, Owner, RepositoryError, Timestamp, Violations,
};
use std::{borrow::Cow, future::Future, ops::AddAssign};
use thiserror::Error;

/// Keeps orders.
pub trait OrderRepository {
    /// Stores `order` unless its owner has used its id.
    ///
    /// An implementation MUST check and write in one atomic step. It MUST replace a stored order only if that order
    /// failed and has the same fingerprint. Otherwise it MUST return [`StoreOutcome::Exists`]. An order reported as
    /// stored MUST be durable.
    fn store(&self, order: &Order) -> impl Future<Output = Result<StoreOutcome, RepositoryError>> + Send;

    /// The owner's order with that id. The read is consistent.
    fn find(&self, owner: &Owner, id: &OrderId) -> impl Future<Output = Result<Option<Order>, RepositoryError>> + Send;
}

/// What [`OrderRepository::store`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOutcome {
    /// The order is stored now.
    Stored,
    /// Nothing was written, because this order has the id.
    Exists(Order),
}

/// Decides placed orders of the bus lane.
///
/// Each method MUST check and write in one atomic step, and MUST change an order only while it is placed and has the
/// given fingerprint. So exactly one call decides an order. A returned order MUST include every earlier change.
///
/// A decision of the last attempt MUST be marked in its write, as by [`mark_unpublished`](Self::mark_unpublished):
/// no further attempt could publish it.
pub trait SettlementRepository {
    /// Records a step's vote unless it voted before, and decides in the same write. `refused` and `failed` cancel the
    /// order; `held` confirms it if every other step holds.
    fn vote(&self, ballot: &Ballot) -> impl Future<Output = Result<SettleOutcome, RepositoryError>> + Send;

    /// Cancels an order after its deadline.
    fn cancel_overdue(
        &self,
        deadline: &Deadline,
    ) -> impl Future<Output = Result<SettleOutcome, RepositoryError>> + Send;

    /// Cancels an order on which no step has voted, and marks it in the same write: its submission could not be
    /// published in any delivery.
    fn cancel_unpublished(
        &self,
        order: &Order,
        now: Timestamp,
    ) -> impl Future<Output = Result<SettleOutcome, RepositoryError>> + Send;

    /// Marks a decided order: its decision was perhaps not published. The other methods then return
    /// [`SettleOutcome::Unpublished`].
    fn mark_unpublished(&self, order: &Order) -> impl Future<Output = Result<(), RepositoryError>> + Send;
}

/// What a method of [`SettlementRepository`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The vote is recorded, and the order not decided.
    Recorded,
    /// This call decided the order.
    Decided(Order),
    /// Nothing was written: it is decided, a step voted before, or this is a different order with the id.
    Unchanged(Order),
    /// Nothing was written: it is decided, and marked as perhaps not published.
    Unpublished(Order),
    /// Nothing was written: no order has the id.
    Missing,
}

/// Keeps the open sockets of owners.
pub trait ConnectionRepository {
    /// Adds an open socket. A repeat changes nothing.
    fn add(&self, connection: &Connection) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Removes a socket of the owner. An unknown one is not an error.
    fn remove(&self, owner: &Owner, id: &ConnectionId) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Every socket of the owner, perhaps expired ones, too.
    fn list(&self, owner: &Owner) -> impl Future<Output = Result<Vec<Connection>, RepositoryError>> + Send;
}

/// A notification to an owner about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The order is confirmed.
    Confirmed(Order),
    /// The order is cancelled for good.
    Cancelled(Order),
    /// The order is rejected for good.
    Rejected {
        /// The order's id; a malformed one as the caller gave it.
        order_id: String,
        /// Why.
        reason: String,
        /// The violations in the order's content, if any.
        violations: Violations,
    },
    /// The order failed its last delivery.
    Failed {
        /// The order's id.
        order_id: String,
        /// Why.
        reason: String,
    },
}

impl Notification {
    /// The notification of an order's present state; `None` until it is decided.
    #[must_use]
    pub fn for_order(order: &Order) -> Option<Self> {
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

    /// The order's id; a malformed one as the caller gave it.
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
    /// Sends every notification to every open socket of `owner`, at least once while the socket stays open.
    ///
    /// Call this after the writes that the notifications report. An implementation MUST look up the sockets during the
    /// call, and MUST see all that were added before: see `docs/decisions/0026-notify-after-the-batch-is-written.md`.
    /// One socket's failure MUST NOT affect the others. A socket that is gone is removed, unless it may be just
    /// opening. An expired socket MUST NOT be notified: it is closed and then removed.
    fn notify(
        &self,
        owner: &Owner,
        notifications: &[Notification],
    ) -> impl Future<Output = Result<NotificationReport, NotifyError>> + Send;
}

/// `None` notifies no owner.
impl<N: Notifier + Sync> Notifier for Option<N> {
    async fn notify(&self, owner: &Owner, notifications: &[Notification]) -> Result<NotificationReport, NotifyError> {
        match self {
            Some(notifier) => notifier.notify(owner, notifications).await,
            None => Ok(NotificationReport::default()),
        }
    }
}

/// Counts of frames: one for each notification and socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationReport {
    /// Taken by a socket.
    pub sent: usize,
    /// For sockets that were gone, or just opening.
    pub gone: usize,
    /// Not sent, because the socket's session was over.
    pub expired: usize,
    /// Not taken by an open socket, even after retries.
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
