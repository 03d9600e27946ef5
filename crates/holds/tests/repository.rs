//! The in-memory repository passes the tests of its port.

use holds::fakes::{InMemoryHolds, check_holds};

#[tokio::test]
async fn the_fake_keeps_the_rules_of_the_port() {
    check_holds(|counters| InMemoryHolds::with(counters.iter().copied())).await;
}
