use super::*;
use crate::{
    Processed, QueuedOrder, Step, Vote,
    fakes::{self, InMemoryOrders, Unavailable, check_settlements},
    process_queued_order,
};
use proptest::{prelude::*, test_runner::TestCaseError};

#[tokio::test]
async fn the_fake_keeps_the_rules_of_the_port() {
    check_settlements(InMemoryOrders::default).await;
}

fn with(order: Order) -> InMemoryOrders {
    let orders = InMemoryOrders::default();
    orders.insert(order);
    orders
}

async fn count(orders: &InMemoryOrders, step: Step, vote: Vote) -> Settled {
    count_vote(orders, &fakes::ballot(step, vote)).await.expect("the order is recorded")
}

async fn submit(orders: &InMemoryOrders, queued: QueuedOrder) -> Settled {
    match process_queued_order(orders, queued).await {
        Processed::Settled(settled) => settled,
        other => panic!("the message must be deleted: {other:?}"),
    }
}

#[tokio::test]
async fn publishes_a_new_order_without_a_notification() {
    let orders = InMemoryOrders::default();

    let settled = submit(&orders, fakes::submitted()).await;

    assert_eq!(settled, Settled { publish: Some(fakes::placed()), notify: None });
    assert_eq!(orders.all(), [fakes::placed()]);
}

#[tokio::test]
async fn publishes_a_placed_order_again_when_it_is_submitted_again() {
    let orders = with(fakes::placed());

    let settled = submit(&orders, QueuedOrder { attempts: 2, ..fakes::submitted() }).await;

    assert_eq!(settled, Settled { publish: Some(fakes::placed()), notify: None });
}

#[tokio::test]
async fn only_notifies_when_a_decided_order_is_submitted_again() {
    let notifications = [
        Notification::Confirmed(fakes::confirmed_by_steps()),
        Notification::Cancelled(fakes::cancelled("no")),
        Notification::Confirmed(fakes::order()),
    ];
    let orders = [fakes::confirmed_by_steps(), fakes::cancelled("no"), fakes::order()];
    for (order, notification) in orders.into_iter().zip(notifications) {
        let settled = submit(&with(order), fakes::submitted()).await;

        assert_eq!(settled, Settled { publish: None, notify: Some(notification) });
    }
}

#[tokio::test]
async fn refuses_another_order_under_the_id() {
    let orders = with(fakes::placed());

    let settled = submit(&orders, QueuedOrder { content: Ok(fakes::content("SKU-2")), ..fakes::submitted() }).await;

    let Settled { publish: None, notify: Some(Notification::Rejected { reason, .. }) } = settled else {
        panic!("{settled:?}")
    };
    assert!(reason.contains("different order"), "{reason}");
    assert_eq!(orders.all(), [fakes::placed()]);
}

#[tokio::test]
async fn places_an_order_that_failed_when_it_is_redriven() {
    let orders = with(Order { lane: Lane::Bus, ..fakes::failed() });

    let settled = submit(&orders, fakes::submitted()).await;

    assert_eq!(settled.publish, Some(fakes::placed()));
    assert_eq!(orders.all(), [fakes::placed()]);
}

#[tokio::test]
async fn publishes_on_the_last_delivery_when_only_the_answer_to_the_write_was_lost() {
    let orders = fakes::Flaky::losing_first(1);
    let last = QueuedOrder { last_attempt: true, ..fakes::submitted() };

    let processed = process_queued_order(&orders, last).await;

    let Processed::Settled(settled) = processed else { panic!("{processed:?}") };
    assert_eq!(settled.publish, Some(fakes::placed()));
}

#[tokio::test]
async fn publishes_the_decision_and_notifies_the_owner() {
    let orders = with(fakes::placed());

    assert_eq!(count(&orders, Step::Stock, Vote::Held).await, Settled::default());
    assert_eq!(count(&orders, Step::Payment, Vote::Held).await, Settled::default());
    let settled = count(&orders, Step::Shipment, Vote::Held).await;

    let order = fakes::confirmed_by_steps();
    assert_eq!(settled, Settled { publish: Some(order.clone()), notify: Some(Notification::Confirmed(order)) });
}

#[tokio::test]
async fn a_redelivered_vote_repeats_the_decision_only_if_it_decided() {
    let orders = with(fakes::placed());
    count(&orders, Step::Payment, Vote::Held).await;
    let decided = count(&orders, Step::Stock, Vote::Refused("no".into())).await;

    let repeated = count(&orders, Step::Stock, Vote::Refused("no".into())).await;
    let others = [count(&orders, Step::Payment, Vote::Held).await, count(&orders, Step::Shipment, Vote::Held).await];

    assert!(matches!(decided, Settled { publish: Some(_), notify: Some(Notification::Cancelled(_)) }), "{decided:?}");
    assert_eq!(repeated, decided);
    assert_eq!(others, [Settled::default(), Settled::default()]);
}

#[tokio::test]
async fn a_redelivered_deadline_repeats_the_decision_only_if_it_decided() {
    let undecided = with(fakes::placed());
    let decided = pass_deadline(&undecided, &fakes::deadline()).await.expect("it is recorded");

    let repeated = pass_deadline(&undecided, &fakes::deadline()).await.expect("it is recorded");
    let late = pass_deadline(&with(fakes::cancelled("no")), &fakes::deadline()).await.expect("it is recorded");

    assert!(matches!(decided, Settled { publish: Some(_), notify: Some(Notification::Cancelled(_)) }), "{decided:?}");
    assert_eq!(repeated, decided);
    assert_eq!(late, Settled::default());
}

#[tokio::test]
async fn the_deadline_publishes_and_notifies_a_decision_that_was_perhaps_not_published() {
    let order = fakes::cancelled("no");
    let orders = with(order.clone());
    let other = Deadline { fingerprint: Fingerprint::of_bytes(b"another"), ..fakes::deadline() };

    let before = pass_deadline(&orders, &fakes::deadline()).await.expect("it is recorded");
    orders.mark_unpublished(&order).await.expect("it is recorded");
    let after = pass_deadline(&orders, &fakes::deadline()).await.expect("it is recorded");
    let foreign = pass_deadline(&orders, &other).await.expect("it is recorded");

    assert_eq!(before, Settled::default());
    assert_eq!(after, Settled { publish: Some(order.clone()), notify: Some(Notification::Cancelled(order)) });
    assert_eq!(foreign, Settled::default());
}

#[tokio::test]
async fn notifies_the_owner_of_an_order_that_was_not_published_also_if_the_answer_to_the_write_was_lost() {
    let orders = with(fakes::placed());
    let cancel = async || cancel_unpublished(&orders, &fakes::placed(), fakes::moment(2)).await.expect("it is stored");

    // If the answer to a write is lost, the SDK repeats it.
    let notified = [cancel().await, cancel().await];

    let cancelled = Notification::Cancelled(orders.all()[0].clone());
    assert_eq!(notified, [Some(cancelled.clone()), Some(cancelled)]);
}

#[tokio::test]
async fn a_vote_on_another_order_under_the_id_repeats_nothing() {
    let other = Ballot { fingerprint: Fingerprint::of_bytes(b"another"), ..fakes::ballot(Step::Stock, Vote::Held) };

    let settled = count_vote(&with(fakes::cancelled("no")), &other).await.expect("it is recorded");

    assert_eq!(settled, Settled::default());
}

#[tokio::test]
async fn fails_a_vote_that_arrives_before_its_order_or_cannot_be_counted() {
    let early = count_vote(&InMemoryOrders::default(), &fakes::ballot(Step::Stock, Vote::Held)).await;
    let unavailable = count_vote(&Unavailable, &fakes::ballot(Step::Stock, Vote::Held)).await;

    assert!(matches!(early, Err(SettleError::NotRecorded)), "{early:?}");
    assert!(matches!(unavailable, Err(SettleError::Repository(_))), "{unavailable:?}");
}

#[tokio::test]
async fn drops_the_deadline_of_an_order_that_was_deleted() {
    let settled = pass_deadline(&InMemoryOrders::default(), &fakes::deadline()).await.expect("it is over");

    assert_eq!(settled, Settled::default());
}

/// What settle-order may receive, in any order, any number of times.
#[derive(Clone, Debug)]
enum Message {
    Submission,
    Vote(Step, Vote),
    Deadline,
}

#[derive(Clone, Debug)]
struct Delivered {
    message: Message,
    last_attempt: bool,
    ends: Ends,
}

/// How a delivery ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Done,
    /// The topic does not answer. Owners are notified.
    Unpublished,
    /// The function dies after its write.
    Died,
}

fn any_deliveries() -> impl Strategy<Value = Vec<Delivered>> {
    let ends = prop_oneof![6 => Just(Ends::Done), 2 => Just(Ends::Unpublished), 2 => Just(Ends::Died)];
    let delivered = (any_message(), proptest::bool::weighted(0.3), ends)
        .prop_map(|(message, last_attempt, ends)| Delivered { message, last_attempt, ends });
    proptest::collection::vec(delivered, 0..24)
}

fn any_message() -> impl Strategy<Value = Message> {
    let votes = [Vote::Held, Vote::Refused("no".into()), Vote::Failed("no answer".into())];
    // Mostly `held`, so that many orders are confirmed.
    let vote = prop_oneof![2 => Just(Vote::Held), 1 => proptest::sample::select(votes.to_vec())];
    prop_oneof![
        1 => Just(Message::Submission),
        6 => (proptest::sample::select(Step::ALL.to_vec()), vote).prop_map(|(step, vote)| Message::Vote(step, vote)),
        1 => Just(Message::Deadline),
    ]
}

/// What became of an order.
#[derive(Debug, Default)]
struct Seen {
    /// The first vote of each step that arrived in time.
    counted: Vec<(Step, Vote)>,
    decision: Option<Order>,
    is_published: bool,
    is_notified: bool,
    /// A message that was not deleted, though its decision was perhaps not published.
    redelivered: Option<Message>,
    /// The deadline's message is deleted or in the dead-letter queue. There is no other.
    is_deadline_over: bool,
}

impl Seen {
    async fn deliver(&mut self, orders: &InMemoryOrders, delivered: Delivered) -> Result<(), TestCaseError> {
        let Delivered { message, last_attempt, ends } = delivered;
        let (recorded, again) = (!orders.all().is_empty(), message.clone());
        let was_decided = self.decision.is_some();
        if matches!(message, Message::Deadline) {
            if self.is_deadline_over {
                return Ok(());
            }
            self.is_deadline_over = recorded && (last_attempt || ends == Ends::Done);
        }
        let is_vote = matches!(message, Message::Vote(..));
        let settled = match message {
            Message::Submission => Ok(submit(orders, fakes::submitted()).await),
            Message::Deadline => pass_deadline(orders, &Deadline { last_attempt, ..fakes::deadline() }).await,
            Message::Vote(step, vote) => {
                let is_open = recorded && orders.all()[0].status() == Status::Placed;
                if is_open && self.counted.iter().all(|(voted, _)| *voted != step) {
                    self.counted.push((step, vote.clone()));
                }
                count_vote(orders, &Ballot { last_attempt, ..fakes::ballot(step, vote) }).await
            }
        };
        prop_assert_eq!(settled.is_err(), is_vote && !recorded, "only a vote before its order fails");
        let Settled { publish, notify } = settled.unwrap_or_default();
        self.is_notified |= notify.is_some() && ends != Ends::Died;
        let Some(order) = publish else { return Ok(()) };
        if order.status() == Status::Placed {
            prop_assert!(self.decision.is_none(), "a decided order is never published as placed");
            if last_attempt && ends == Ends::Unpublished {
                let notify = cancel_unpublished(orders, &order, fakes::moment(2)).await.expect("it is recorded");
                self.is_notified |= notify.is_some();
                let is_cancelled = orders.all()[0].status() == Status::Cancelled;
                prop_assert_eq!(is_cancelled, self.counted.is_empty(), "an order with a vote was published");
                self.decision = orders.all().into_iter().find(|order| order.status() == Status::Cancelled);
            }
            return Ok(());
        }
        prop_assert_eq!(self.decision.get_or_insert(order.clone()), &order, "one decision");
        // The function marks a decision before the last delivery publishes it, unless its write did.
        if ends == Ends::Unpublished || (last_attempt && was_decided) {
            orders.mark_unpublished(&order).await.expect("it is recorded");
        }
        self.is_published |= ends == Ends::Done;
        if ends == Ends::Died && !last_attempt {
            self.redelivered = Some(again);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn any_deliveries_decide_an_order_once_and_as_the_steps_voted(deliveries in any_deliveries()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (orders, mut seen) = (InMemoryOrders::default(), Seen::default());
            for delivered in deliveries {
                seen.deliver(&orders, delivered).await?;
            }
            // Finally nothing dies: a message that was not deleted, the deadline, and a late vote.
            let late = Message::Vote(Step::Stock, Vote::Held);
            for message in seen.redelivered.take().into_iter().chain([Message::Deadline, late]) {
                seen.deliver(&orders, Delivered { message, last_attempt: false, ends: Ends::Done }).await?;
            }
            let Seen { counted, decision, is_published, is_notified, .. } = seen;
            let Some(order) = decision else { return Ok(()) };
            prop_assert!(is_published && is_notified, "every decision is published, and its owner notified");
            prop_assert_eq!(&orders.all()[0], &order);
            let refusals = counted.iter().filter(|(_, vote)| *vote != Vote::Held).count();
            match order.decided_by() {
                Some(Decider::Submission) => prop_assert!(counted.is_empty()),
                Some(Decider::Deadline) => prop_assert!(refusals == 0 && counted.len() < Step::ALL.len()),
                Some(Decider::Step(step)) => {
                    let (last, vote) = counted.last().expect("a step decided, so it voted");
                    prop_assert_eq!(step, *last);
                    prop_assert_eq!(order.status() == Status::Confirmed, *vote == Vote::Held);
                    prop_assert!(order.status() != Status::Confirmed || counted.len() == Step::ALL.len());
                }
                None => prop_assert!(false, "a decided order has a decider"),
            }
            Ok(())
        })?;
    }
}
