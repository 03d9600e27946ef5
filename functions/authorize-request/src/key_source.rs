use crate::provider::FetchKeys;
use access_tokens::KeySet;
use orders::ErrorChain;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// Shortest time between two requests to the provider, so that unknown keys do not flood it.
const MIN_INTERVAL: Duration = Duration::from_mins(1);

/// How long keys are cached, so that a withdrawn key expires. If the provider fails, known keys stay in use.
const MAX_AGE: Duration = Duration::from_hours(1);

/// The keys that verify tokens: pinned keys, or the issuer's published keys, which are cached.
pub(crate) struct KeySource<F> {
    provider: Option<F>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Arc<KeySet>,
    fetched_at: Option<Instant>,
    requested_at: Option<Instant>,
}

impl<F: FetchKeys> KeySource<F> {
    /// Only these keys.
    pub(crate) fn pinned(keys: KeySet) -> Self {
        let state = State { keys: Arc::new(keys), ..State::default() };
        Self { provider: None, state: Mutex::new(state) }
    }

    pub(crate) fn fetched(provider: F) -> Self {
        Self { provider: Some(provider), state: Mutex::new(State::default()) }
    }

    /// Empty until the provider has answered once.
    pub(crate) async fn current(&self) -> Arc<KeySet> {
        let mut state = self.state.lock().await;
        if state.fetched_at.is_none_or(|at| at.elapsed() >= MAX_AGE) {
            self.refresh(&mut state).await;
        }
        Arc::clone(&state.keys)
    }

    /// The issuer may have published a new key.
    pub(crate) async fn after_an_unknown_key(&self) -> Arc<KeySet> {
        let mut state = self.state.lock().await;
        self.refresh(&mut state).await;
        Arc::clone(&state.keys)
    }

    /// Fetches the keys, unless they are pinned or the last request was within [`MIN_INTERVAL`].
    async fn refresh(&self, state: &mut State) {
        let Some(provider) = &self.provider else { return };
        if state.requested_at.is_some_and(|at| at.elapsed() < MIN_INTERVAL) {
            return;
        }
        state.requested_at = Some(Instant::now());
        match provider.fetch().await {
            Ok(keys) => {
                state.keys = Arc::new(keys);
                state.fetched_at = Some(Instant::now());
            }
            Err(error) => tracing::error!(error = %ErrorChain(&error), "Failed to fetch the issuer's keys"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{handler::tests::Issuer, provider::FetchError};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts the fetches, and may fail.
    #[derive(Default)]
    struct Counting {
        fetches: AtomicUsize,
        fails: bool,
    }

    impl FetchKeys for &Counting {
        async fn fetch(&self) -> Result<KeySet, FetchError> {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            if self.fails { Err(FetchError::TooLong) } else { Ok(KeySet::parse(&Issuer::new("key-1").jwks())?) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn fetches_at_most_once_a_minute_in_one_process() {
        let provider = Counting::default();
        let source = KeySource::fetched(&provider);

        for _ in 0..1_200 {
            source.current().await;
            assert!(!source.after_an_unknown_key().await.is_empty());
            tokio::time::advance(Duration::from_millis(100)).await;
        }

        assert_eq!(provider.fetches.load(Ordering::SeqCst), 2, "in two minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn fetches_from_a_failing_provider_at_most_once_a_minute_too() {
        let provider = Counting { fails: true, ..Counting::default() };
        let source = KeySource::fetched(&provider);

        for _ in 0..1_200 {
            assert!(source.current().await.is_empty());
            source.after_an_unknown_key().await;
            tokio::time::advance(Duration::from_millis(100)).await;
        }

        assert_eq!(provider.fetches.load(Ordering::SeqCst), 2, "in two minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_used_for_an_hour() {
        let provider = Counting::default();
        let source = KeySource::fetched(&provider);

        for _ in 0..60 {
            source.current().await;
            tokio::time::advance(Duration::from_secs(59)).await;
        }
        assert_eq!(provider.fetches.load(Ordering::SeqCst), 1);
        tokio::time::advance(Duration::from_mins(1)).await;
        source.current().await;

        assert_eq!(provider.fetches.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn pinned_keys_stay() {
        let keys = KeySet::parse(&Issuer::new("key-1").jwks()).expect("the issuer has a key");
        let source = KeySource::<&Counting>::pinned(keys);

        tokio::time::advance(MAX_AGE * 2).await;

        assert!(!source.current().await.is_empty());
        assert!(!source.after_an_unknown_key().await.is_empty());
    }
}
