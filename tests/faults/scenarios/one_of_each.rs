//! A batch of ten with one failure of each kind.

use crate::{
    Load,
    dispositions::{Dispositions, MAX_RECEIVE_COUNT},
    figures::Figures,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::{eventually::eventually, order_bodies::new_id};

/// Seven succeed, then one is poison, one panics, and one succeeds at its third delivery.
fn wishes() -> Vec<Value> {
    let failures = [json!({"do": "poison"}), json!({"do": "panic"}), json!({"do": "retry-after", "until": 3})];
    std::iter::repeat_n(json!({"do": "done"}), 7).chain(failures).collect()
}

pub(crate) async fn a_poison_message_a_panic_and_a_transient_failure_affect_no_other_message(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let function = Dispositions::deploy(bed).await;
    let batch: Vec<_> = wishes().into_iter().map(|wish| (new_id(), wish)).collect();

    let reported = function.invoke(&batch).await;

    let expected: BTreeSet<_> = batch[7..].iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(reported.len(), 3, "{reported:?}");
    assert_eq!(reported.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);

    let ids = function.send(&wishes()).await;
    function.enable().await;

    let (done, poison, panic, transient) = (&ids[..7], &ids[7], &ids[8], &ids[9]);
    let mut dead = BTreeMap::new();
    let mut look = async || {
        for (id, deliveries) in function.dead().await {
            // Each receipt increases the count, so the first is right.
            dead.entry(id).or_insert(deliveries);
        }
        dead.len()
    };
    eventually(DELIVERY_WAIT, "both messages that never succeed are in the dead-letter queue", async || {
        (look().await >= 2).then_some(())
    })
    .await;
    function.queue_is_empty().await;
    look().await;
    assert_eq!(dead, BTreeMap::from([(poison.clone(), MAX_RECEIVE_COUNT), (panic.clone(), MAX_RECEIVE_COUNT)]));
    // Logs have a delay: count the others once the last delivery is in the log.
    let transient = eventually(DELIVERY_WAIT, "the log has the third delivery of the transient one", async || {
        Some(function.deliveries(transient).await).filter(|deliveries| *deliveries >= 3)
    })
    .await;
    assert_eq!(transient, 3, "it must succeed at its third delivery");
    for id in done {
        assert_eq!(function.deliveries(id).await, 1, "{id} must be done once");
    }
    function.delete().await;
    Figures::default()
        .with("done once", done.len())
        .with("reported", reported.len())
        .with("poison deliveries", dead[poison])
        .with("panic deliveries", dead[panic])
        .with("transient done at delivery", transient)
}
