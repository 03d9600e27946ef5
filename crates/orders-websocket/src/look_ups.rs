//! Whose sockets were just looked up.

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use orders::{Connection, ConnectionRepository, Owner, RepositoryError};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long ago a look-up may have begun that stands for the present. A socket that opens after it is told by
/// `subscribe` how its order stands, and is not told when the order is settled before that: from the row of an opening
/// socket to the answer to its first frame are two invocations of a function and a round trip of the client, which take
/// longer than this.
const FRESH: Duration = Duration::from_millis(20);

/// What a look-up found, for all who wait for it.
type Found = Result<Arc<[Connection]>, Arc<RepositoryError>>;

/// Looks an owner's sockets up once for orders that are settled at the same time, beside the write of the first.
#[derive(Clone)]
pub(crate) struct LookUps<C> {
    connections: C,
    begun: Arc<Mutex<HashMap<Owner, LookUp>>>,
}

#[derive(Clone)]
struct LookUp {
    began: Instant,
    found: Shared<BoxFuture<'static, Found>>,
}

impl<C: fmt::Debug> fmt::Debug for LookUps<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LookUps").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl<C: ConnectionRepository + Clone + Send + Sync + 'static> LookUps<C> {
    pub(crate) fn new(connections: C) -> Self {
        Self { connections, begun: Arc::default() }
    }

    /// Where sockets are kept.
    pub(crate) fn connections(&self) -> &C {
        &self.connections
    }

    /// The owner's sockets, from a look-up that is [`FRESH`].
    ///
    /// # Errors
    /// The repository's, told to all who wait for the same look-up.
    pub(crate) async fn list(&self, owner: &Owner) -> Result<Vec<Connection>, RepositoryError> {
        match self.fresh(owner).await {
            Ok(connections) => Ok(connections.to_vec()),
            Err(error) => Err(again(error)),
        }
    }

    /// Looks the owner's sockets up for those who ask in a moment.
    pub(crate) async fn prepare(&self, owner: &Owner) {
        // What fails here is told by whoever needs it.
        let _ = self.fresh(owner).await;
    }

    /// The look-up to wait for, begun now unless there is one.
    fn fresh(&self, owner: &Owner) -> Shared<BoxFuture<'static, Found>> {
        let now = Instant::now();
        let is_fresh = |look_up: &LookUp| now.duration_since(look_up.began) <= FRESH;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(look_up) = begun.get(owner).filter(|look_up| is_fresh(look_up)) {
            return look_up.found.clone();
        }
        begun.retain(|_, look_up| is_fresh(look_up));
        let connections = self.connections.clone();
        let whose = owner.clone();
        let found = async move { connections.list(&whose).await.map(Arc::from).map_err(Arc::new) };
        let found = found.boxed().shared();
        begun.insert(owner.clone(), LookUp { began: now, found: found.clone() });
        found
    }
}

/// The same error once more.
fn again(error: Arc<RepositoryError>) -> RepositoryError {
    match &*error {
        RepositoryError::Throttled(_) => RepositoryError::Throttled(error.into()),
        RepositoryError::Unavailable(_) => RepositoryError::Unavailable(error.into()),
        RepositoryError::Refused(_) => RepositoryError::Refused(error.into()),
        RepositoryError::Unreadable(_) => RepositoryError::Unreadable(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::{ConnectionId, fakes};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts look-ups, each of which takes that long.
    #[derive(Clone, Default)]
    struct Counting(Arc<AtomicUsize>, Duration);

    impl ConnectionRepository for Counting {
        async fn add(&self, _: &Connection) -> Result<(), RepositoryError> {
            Ok(())
        }

        async fn remove(&self, _: &Owner, _: &ConnectionId) -> Result<(), RepositoryError> {
            Ok(())
        }

        async fn list(&self, _: &Owner) -> Result<Vec<Connection>, RepositoryError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.1).await;
            Err(RepositoryError::Throttled("over the limit".into()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_the_same_time_ask_once_and_are_told_the_same() {
        let counting = Counting(Arc::default(), Duration::from_millis(5));
        let look_ups = LookUps::new(counting.clone());
        let (alice, bob) = (fakes::owner("alice"), fakes::owner("bob"));

        let (first, second, other) = tokio::join!(look_ups.list(&alice), look_ups.list(&alice), look_ups.list(&bob));

        for found in [first, second, other] {
            assert!(matches!(found, Err(RepositoryError::Throttled(_))), "{found:?}");
        }
        assert_eq!(counting.0.load(Ordering::Relaxed), 2, "one for each owner");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_nobody_waits_for_goes_on_when_it_is_needed() {
        let counting = Counting(Arc::default(), Duration::from_millis(5));
        let look_ups = LookUps::new(counting.clone());
        let alice = fakes::owner("alice");

        let _ = tokio::time::timeout(Duration::from_millis(1), look_ups.list(&alice)).await;
        let _ = look_ups.list(&alice).await;

        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_fresh_is_looked_up_again_and_not_kept() {
        let counting = Counting::default();
        let look_ups = LookUps::new(counting.clone());
        let _ = look_ups.list(&fakes::owner("alice")).await;

        tokio::time::advance(FRESH + Duration::from_millis(1)).await;
        let _ = look_ups.list(&fakes::owner("bob")).await;
        let kept = look_ups.begun.lock().expect("no test panicked").len();
        let _ = look_ups.list(&fakes::owner("alice")).await;

        assert_eq!((kept, counting.0.load(Ordering::Relaxed)), (1, 3));
    }
}
