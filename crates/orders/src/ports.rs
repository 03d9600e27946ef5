//! What the use cases need from the outside, in the words of the domain.

use crate::{Connection, ConnectionId, Order, OrderId, Owner, Violations};
use std::{error::Error as StdError, future::Future};
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

/// Keeps which sockets an owner has open.
pub trait ConnectionRepository {
    /// Remembers an open socket; a repeat changes nothing.
    fn add(&self, connection: &Connection) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Forgets one socket of the owner and no other; forgetting an unknown one is no error.
    fn remove(&self, owner: &Owner, id: &ConnectionId) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Every socket of the owner, expired ones possibly among them.
    fn list(&self, owner: &Owner) -> impl Future<Output = Result<Vec<Connection>, RepositoryError>> + Send;
}

/// Why a repository could not answer. Nothing is known about whether the request took effect, so repeat it: every
/// request here may be repeated.
#[derive(Debug, Error)]
pub enum RepositoryError {
    /// The database is over a limit of its own.
    #[error("the database is over its limit")]
    Throttled(#[source] Box<dyn StdError + Send + Sync>),
    /// The database did not answer, or not in time, or with a fault of its own.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The database will not do this: a permission is missing or a name is wrong.
    #[error("the database refused the request")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// The database holds something that is not one of ours.
    #[error("the stored record cannot be read")]
    Unreadable(#[source] Box<dyn StdError + Send + Sync>),
}

impl RepositoryError {
    /// Whether the same request may well succeed in a moment, without anybody mending anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }
}

/// What an owner is told about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The order is stored.
    Confirmed(Order),
    /// The order is refused for good.
    Rejected {
        /// The id as the caller gave it, which may be the very thing that is wrong.
        order_id: String,
        /// Why.
        reason: String,
        /// What is wrong with the order's content, if that is why.
        violations: Violations,
    },
    /// The order was given up after its last delivery and may yet be confirmed by a redrive.
    Failed {
        /// The id as the caller gave it.
        order_id: String,
        /// Why.
        reason: String,
    },
}

/// Tells owners about their orders.
pub trait Notifier {
    /// Gets ready to tell that owner, who is likely to be told in a moment. [`Notifier::notify`] works without it, and
    /// whoever calls this need not wait until it is done.
    fn prepare(&self, _owner: &Owner) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Tells every open socket of `owner`, at least once while it stays open. One socket's trouble MUST NOT keep the
    /// others from being told, and a socket that is gone is forgotten, it alone, unless it may be one that is just
    /// opening. A socket that is expired MUST NOT be told: it is closed and then forgotten.
    fn notify(
        &self,
        owner: &Owner,
        notification: &Notification,
    ) -> impl Future<Output = Result<NotificationReport, NotifyError>> + Send;
}

/// Without a notifier nobody is told: owners ask how their orders stand.
impl<N: Notifier + Sync> Notifier for Option<N> {
    async fn prepare(&self, owner: &Owner) {
        if let Some(notifier) = self {
            notifier.prepare(owner).await;
        }
    }

    async fn notify(&self, owner: &Owner, notification: &Notification) -> Result<NotificationReport, NotifyError> {
        match self {
            Some(notifier) => notifier.notify(owner, notification).await,
            None => Ok(NotificationReport::default()),
        }
    }
}

/// How many sockets a notification reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationReport {
    /// Sockets that took it.
    pub told: usize,
    /// Sockets that were gone or not there yet.
    pub gone: usize,
    /// Sockets whose session was over: they were not told.
    pub expired: usize,
    /// Sockets that should have been told and could not be, after retries.
    pub dropped: usize,
}

/// Why nobody could be told.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// The owner's sockets could not be looked up.
    #[error("failed to list the owner's connections")]
    Connections(#[from] RepositoryError),
}
