//! In-memory implementations of the ports, and sample values, for tests.

mod samples;
mod settlement;
mod settlement_suite;

pub use samples::*;
pub use settlement_suite::{Settlements, check_settlements};

use crate::{
    Connection, ConnectionId, ConnectionRepository, Notification, NotificationReport, Notifier, NotifyError, Order,
    OrderId, OrderIndex, OrderListQuery, OrderPage, OrderRepository, OrderSummary, Owner, RepositoryError, Status,
    StoreOutcome,
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Orders in memory, by the rules of [`OrderRepository`].
#[derive(Debug, Default)]
pub struct InMemoryOrders {
    orders: Mutex<Vec<Order>>,
    unpublished: Mutex<Vec<(Owner, OrderId)>>,
}

impl InMemoryOrders {
    /// Every order stored, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Order> {
        lock(&self.orders).clone()
    }

    /// Adds an order unchecked.
    pub fn insert(&self, order: Order) {
        lock(&self.orders).push(order);
    }
}

impl OrderRepository for InMemoryOrders {
    async fn store(&self, order: &Order) -> Result<StoreOutcome, RepositoryError> {
        let mut orders = lock(&self.orders);
        let stored = orders.iter_mut().find(|stored| stored.owner == order.owner && stored.id == order.id);
        match stored {
            Some(stored) if stored.status() == Status::Failed && stored.fingerprint == order.fingerprint => {
                *stored = order.clone();
                Ok(StoreOutcome::Stored)
            }
            Some(stored) => Ok(StoreOutcome::Exists(stored.clone())),
            None => {
                orders.push(order.clone());
                Ok(StoreOutcome::Stored)
            }
        }
    }

    async fn find(&self, owner: &Owner, id: &OrderId) -> Result<Option<Order>, RepositoryError> {
        Ok(lock(&self.orders).iter().find(|order| order.owner == *owner && order.id == *id).cloned())
    }
}

/// Orders of one millisecond have descending ids.
impl OrderIndex for InMemoryOrders {
    async fn list(&self, wanted: &OrderListQuery) -> Result<OrderPage, RepositoryError> {
        let orders = lock(&self.orders);
        let mut listed: Vec<_> = orders.iter().filter(|order| order.owner == wanted.owner).collect();
        listed.retain(|order| wanted.since.is_none_or(|since| order.placed_at >= since));
        listed.retain(|order| {
            let key = (order.placed_at, order.id.to_string());
            wanted.after.is_none_or(|after| key < (after.placed_at, after.id.to_string()))
        });
        listed.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.id.to_string())));
        let limit = usize::from(wanted.limit.get());
        let has_more = listed.len() > limit;
        Ok(OrderPage { orders: listed.into_iter().take(limit).map(OrderSummary::from).collect(), has_more })
    }
}

/// Connections in memory, by the rules of [`ConnectionRepository`]. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct InMemoryConnections(Arc<Mutex<Vec<Connection>>>);

impl InMemoryConnections {
    /// Every connection, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Connection> {
        lock(&self.0).clone()
    }
}

impl ConnectionRepository for InMemoryConnections {
    async fn add(&self, connection: &Connection) -> Result<(), RepositoryError> {
        self.remove(&connection.owner, &connection.id).await?;
        lock(&self.0).push(connection.clone());
        Ok(())
    }

    async fn remove(&self, owner: &Owner, id: &ConnectionId) -> Result<(), RepositoryError> {
        lock(&self.0).retain(|connection| connection.owner != *owner || connection.id != *id);
        Ok(())
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Connection>, RepositoryError> {
        Ok(lock(&self.0).iter().filter(|connection| connection.owner == *owner).cloned().collect())
    }
}

fn unavailable() -> RepositoryError {
    RepositoryError::Unavailable("no answer".into())
}

/// A repository that never answers.
#[derive(Debug)]
pub struct Unavailable;

impl OrderRepository for Unavailable {
    async fn store(&self, _: &Order) -> Result<StoreOutcome, RepositoryError> {
        Err(unavailable())
    }

    async fn find(&self, _: &Owner, _: &OrderId) -> Result<Option<Order>, RepositoryError> {
        Err(unavailable())
    }
}

impl OrderIndex for Unavailable {
    async fn list(&self, _: &OrderListQuery) -> Result<OrderPage, RepositoryError> {
        Err(unavailable())
    }
}

/// A repository that refuses everything, as without a permission.
#[derive(Debug)]
pub struct Refusing;

impl OrderRepository for Refusing {
    async fn store(&self, _: &Order) -> Result<StoreOutcome, RepositoryError> {
        Err(RepositoryError::Refused("not allowed".into()))
    }

    async fn find(&self, _: &Owner, _: &OrderId) -> Result<Option<Order>, RepositoryError> {
        Err(RepositoryError::Refused("not allowed".into()))
    }
}

/// An [`InMemoryOrders`] that fails a few times.
#[derive(Debug)]
pub struct Flaky {
    inner: InMemoryOrders,
    passes_left: AtomicUsize,
    failures_left: AtomicUsize,
    after_the_write: bool,
}

impl Flaky {
    /// The first `writes` writes fail, and are not done.
    #[must_use]
    pub fn failing_first(writes: usize) -> Self {
        let (passes_left, failures_left) = (AtomicUsize::new(0), AtomicUsize::new(writes));
        Self { inner: InMemoryOrders::default(), passes_left, failures_left, after_the_write: false }
    }

    /// The first `writes` writes are done. The next one fails, and is not done.
    #[must_use]
    pub fn failing_after(writes: usize) -> Self {
        Self { passes_left: AtomicUsize::new(writes), ..Self::failing_first(1) }
    }

    /// The first `writes` writes are done, but their answers are lost.
    #[must_use]
    pub fn losing_first(writes: usize) -> Self {
        Self { after_the_write: true, ..Self::failing_first(writes) }
    }

    /// The first `writes` writes succeed. The next one is done, but its answer is lost.
    #[must_use]
    pub fn losing_after(writes: usize) -> Self {
        Self { passes_left: AtomicUsize::new(writes), ..Self::losing_first(1) }
    }

    /// The orders that are really stored.
    #[must_use]
    pub fn inner(&self) -> &InMemoryOrders {
        &self.inner
    }

    async fn failing<T>(&self, write: impl AsyncFnOnce() -> Result<T, RepositoryError>) -> Result<T, RepositoryError> {
        let takes_one = |left: &AtomicUsize| {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        };
        let fails = !takes_one(&self.passes_left) && takes_one(&self.failures_left);
        if fails && !self.after_the_write {
            return Err(unavailable());
        }
        let written = write().await;
        if fails { Err(unavailable()) } else { written }
    }
}

impl OrderRepository for Flaky {
    async fn store(&self, order: &Order) -> Result<StoreOutcome, RepositoryError> {
        self.failing(async || self.inner.store(order).await).await
    }

    async fn find(&self, owner: &Owner, id: &OrderId) -> Result<Option<Order>, RepositoryError> {
        self.inner.find(owner, id).await
    }
}

/// Records its calls.
#[derive(Debug, Default)]
pub struct RecordingNotifier(Mutex<Vec<(Owner, Vec<Notification>)>>);

impl RecordingNotifier {
    /// Every call, oldest first: the owner, and the notifications.
    #[must_use]
    pub fn calls(&self) -> Vec<(Owner, Vec<Notification>)> {
        lock(&self.0).clone()
    }

    /// Every notification, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Notification> {
        self.calls().into_iter().flat_map(|(_, notifications)| notifications).collect()
    }
}

impl Notifier for RecordingNotifier {
    async fn notify(&self, owner: &Owner, notifications: &[Notification]) -> Result<NotificationReport, NotifyError> {
        lock(&self.0).push((owner.clone(), notifications.to_vec()));
        Ok(NotificationReport { sent: notifications.len(), ..NotificationReport::default() })
    }
}
