//! The repository in memory keeps the rules of its port, as every other must.

use holds::fakes::{InMemoryHolds, check_holds};

#[tokio::test]
async fn the_fake_keeps_the_rules_of_the_port() {
    check_holds(|counters| InMemoryHolds::with(counters.iter().copied())).await;
}
