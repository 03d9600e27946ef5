//! In-memory implementations of the ports, and sample values, for tests of whatever uses the ports.

use crate::{
    Connection, ConnectionId, ConnectionRepository, Fingerprint, ItemDraft, Lane, Notification, NotificationReport,
    Notifier, NotifyError, Order, OrderContent, OrderDraft, OrderId, OrderRepository, Outcome, Owner, PlaceOrder,
    QueuedOrder, Refusal, RepositoryError, Status, StoreOutcome, Timestamp, Violation,
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps orders in memory, by the rules of [`OrderRepository`].
#[derive(Debug, Default)]
pub struct InMemoryOrders(Mutex<Vec<Order>>);

impl InMemoryOrders {
    /// Every order stored, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Order> {
        lock(&self.0).clone()
    }

    /// Puts an order there, whatever was there.
    pub fn insert(&self, order: Order) {
        lock(&self.0).push(order);
    }
}

impl OrderRepository for InMemoryOrders {
    async fn store(&self, order: &Order) -> Result<StoreOutcome, RepositoryError> {
        let mut orders = lock(&self.0);
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
        Ok(lock(&self.0).iter().find(|order| order.owner == *owner && order.id == *id).cloned())
    }
}

/// Keeps connections in memory, by the rules of [`ConnectionRepository`]; clones keep the same ones.
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

/// A repository that will not do anything: a permission is missing.
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

/// An [`InMemoryOrders`] behind a connection that breaks a few times.
#[derive(Debug)]
pub struct Flaky {
    inner: InMemoryOrders,
    breaks_left: AtomicUsize,
    after_the_write: bool,
}

impl Flaky {
    /// Breaks before the first `stores` writes are done.
    #[must_use]
    pub fn failing_first(stores: usize) -> Self {
        Self { inner: InMemoryOrders::default(), breaks_left: AtomicUsize::new(stores), after_the_write: false }
    }

    /// Breaks after the first `stores` writes are done, so that their answers are lost.
    #[must_use]
    pub fn losing_first(stores: usize) -> Self {
        Self { after_the_write: true, ..Self::failing_first(stores) }
    }

    /// What is really stored.
    #[must_use]
    pub fn inner(&self) -> &InMemoryOrders {
        &self.inner
    }
}

impl OrderRepository for Flaky {
    async fn store(&self, order: &Order) -> Result<StoreOutcome, RepositoryError> {
        let breaks =
            self.breaks_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if breaks && !self.after_the_write {
            return Err(unavailable());
        }
        let stored = self.inner.store(order).await;
        if breaks { Err(unavailable()) } else { stored }
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

/// An owner of that name.
///
/// # Panics
/// When the name cannot be an owner's.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::parse(name).expect("the name is visible ASCII")
}

/// The moment `seconds` after 2026-01-01T00:00:00Z.
///
/// # Panics
/// Never: the moment is in range.
#[must_use]
pub fn moment(seconds: u16) -> Timestamp {
    Timestamp::from_unix_ms(1_767_225_600_000 + i64::from(seconds) * 1000).expect("the moment is in range")
}

/// An order id.
///
/// # Panics
/// Never: it is a UUID.
#[must_use]
pub fn order_id() -> OrderId {
    OrderId::parse("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b").expect("it is a UUID")
}

/// Two units of one thing.
///
/// # Panics
/// When `sku` cannot be a stock-keeping unit.
#[must_use]
pub fn content(sku: &str) -> OrderContent {
    let item = ItemDraft { sku: Some(sku.to_owned()), quantity: Some(2), unit_price_minor: Some(1999) };
    OrderContent::parse(OrderDraft { currency: Some("EUR".to_owned()), items: Some(vec![item]), note: None })
        .expect("the draft follows the rules")
}

/// Alice's wish to place an order in the sync lane.
#[must_use]
pub fn wish() -> PlaceOrder {
    PlaceOrder {
        id: order_id(),
        owner: owner("alice"),
        lane: Lane::Sync,
        content: content("SKU-1"),
        placed_at: moment(0),
        now: moment(1),
        attempts: 1,
    }
}

/// The order of [`wish`] once it is stored.
#[must_use]
pub fn order() -> Order {
    wish().into()
}

/// The first delivery of the order of [`wish`] by the queue.
#[must_use]
pub fn queued() -> QueuedOrder {
    QueuedOrder {
        lane: Lane::Async,
        owner: owner("alice"),
        given_id: order_id().to_string(),
        id: Ok(order_id()),
        content: Ok(content("SKU-1")),
        placed_at: moment(0),
        max_age: None,
        now: moment(1),
        attempts: 1,
        last_attempt: false,
    }
}

/// The first delivery of a body that is not an order.
#[must_use]
pub fn refused() -> QueuedOrder {
    let violations = Violation::new("/items", "must hold 1 to 100 items").into();
    QueuedOrder { content: Err(Refusal { violations, fingerprint: Fingerprint::of_bytes(b"{}") }), ..queued() }
}

/// The order of [`wish`] after its last delivery failed.
#[must_use]
pub fn failed() -> Order {
    Order {
        id: order_id(),
        owner: owner("alice"),
        lane: Lane::Async,
        placed_at: moment(0),
        attempts: 5,
        fingerprint: content("SKU-1").fingerprint(),
        outcome: Outcome::Failed { reason: "the database was not available".to_owned() },
    }
}
