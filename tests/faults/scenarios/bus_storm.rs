//! Everything at once in the bus lane. Orders are sent twice, events three times and in any order, and cancellations
//! before their orders. Functions are killed at every moment.

use crate::{
    Load, bus,
    drops::Drops,
    figures::{Figures, say},
    listener::Listener,
    moments::{Kill, moments, notifications},
    test_bed::{Batches, Delivery, TestBed},
};
use fastrand::Rng;
use fault_endpoint::{Call, Fault, Passed, Rule, Scatter, When};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    env,
    sync::Mutex,
    time::Duration,
};
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_sku, order_in},
    services::{Books, account, steps, total},
    socket::OUTCOMES,
};
use tokio::time::{Instant, interval};
use uuid::Builder;

/// Until one more order is decided, and until the last events are handled.
const DEADLINE: Duration = Duration::from_mins(8);

/// Between two looks at the orders table.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// An event's longest delay. A function waits 1.2 s for SNS, which is slow on a busy machine, before it publishes
/// again.
const LATE: Duration = Duration::from_millis(250);

/// Least arrivals per event.
const ARRIVALS: usize = 3;

/// Killed functions and a busy machine use up more than the template's five deliveries. Few and small batches keep a
/// busy machine answering: a function waits 1.2 s for AWS, and each repeated request makes the machine busier.
const DELIVERY: Delivery = Delivery {
    times: 50,
    visibility_timeout: Duration::from_secs(10),
    longest_backoff: Duration::from_secs(20),
    batches: Batches { size: 5, at_once: 2 },
};

/// Orders in progress. On a busy machine, more would wait until their deadline cancels them: `OrderDeadlineSeconds`.
const WAVE: usize = 200;

/// Concurrent requests of the storm: orders, then repeated events.
const CLIENTS: usize = 8;

/// More than any account has.
const UNPAYABLE: u32 = 1_000_000_000;

/// Never taken.
const SPARE: i64 = 7;

/// Per counter of a day: an eighth of `ShipmentsPerDay` in template.yaml.
const PARCELS_A_COUNTER: i64 = 12_500;

struct Customer {
    owner: String,
    listener: Listener,
    orders: BTreeMap<String, Ordered>,
}

struct Ordered {
    body: Value,
    /// The output with the name of the refusing function. `None`: it is confirmed.
    refusing: Option<&'static str>,
}

impl Ordered {
    /// Type of the frame with its outcome.
    fn outcome(&self) -> &'static str {
        if self.refusing.is_some() { "order.cancelled" } else { "order.confirmed" }
    }
}

/// All have enough stock for all orders, except the last: it has too little for any.
struct Shelves {
    plenty: String,
    luxury: String,
    scarce: String,
}

impl Customer {
    /// One order in ten is out of stock, and one in ten cannot be paid.
    async fn with_orders(bed: &TestBed, shelves: &Shelves, random: &mut Rng, number: usize, orders: usize) -> Self {
        let owner = format!("storm-{number}-{:x}", random.u64(..));
        let listener = Listener::open(bed, &owner).await;
        let order = |at: usize| {
            let (lines, refusing) = match at % 10 {
                3 => (vec![(shelves.plenty.as_str(), 1, 100), (&shelves.scarce, 5, 100)], Some("reserve-stock")),
                8 => (vec![(shelves.luxury.as_str(), 1, UNPAYABLE)], Some("authorize-payment")),
                at => (vec![(shelves.plenty.as_str(), 1 + u32::from(at % 3 == 0), 199)], None),
            };
            Ordered { body: order_in("EUR", &lines), refusing: refusing.map(bus::output_of) }
        };
        let mut id = || Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid().to_string();
        let orders = (number..number + orders).map(|at| (id(), order(at))).collect();
        Self { owner, listener, orders }
    }

    fn confirmed(&self) -> impl Iterator<Item = &Value> {
        self.orders.values().filter(|order| order.refusing.is_none()).map(|order| &order.body)
    }

    /// Orders with a received outcome, each with the type of its frame.
    fn received(&self) -> BTreeSet<(String, &'static str)> {
        let outcomes = OUTCOMES.iter();
        outcomes.flat_map(|kind| self.listener.outcomes(kind).into_keys().map(move |id| (id, *kind))).collect()
    }
}

fn units(order: &Value, sku: &str) -> i64 {
    let lines = order["items"].as_array().expect("an order has items").iter();
    lines.filter(|line| line["sku"] == *sku).map(|line| line["quantity"].as_i64().unwrap()).sum()
}

pub(crate) async fn every_order_ends_once_and_only_confirmed_ones_take_anything(bed: &TestBed, load: Load) -> Figures {
    let (customers, orders_each) = (load.pick(10, 50), load.pick(20, 40));
    let expected = customers * orders_each;
    let shelves = Shelves { plenty: new_sku(), luxury: new_sku(), scarce: new_sku() };
    let (seed, mark) = (seed(), bed.endpoint.mark());
    let (mut all, mut random) = (Vec::new(), Rng::with_seed(seed));
    for number in 0..customers {
        all.push(Customer::with_orders(bed, &shelves, &mut random, number, orders_each).await);
    }
    bed.set_bus_delivery(&DELIVERY).await;
    let supplied = supply(bed, &shelves, &all).await;
    arrive_in_any_order(bed, seed);
    let second_sockets = [Listener::open(bed, &all[0].owner).await, Listener::open(bed, &all[1].owner).await];
    let kills = aim(bed, &all, &second_sockets, load.pick(1, 5), &mut random);

    let mut late = 0;
    for (wave, customers) in (1..).zip(all.chunks(WAVE / orders_each)) {
        let begun = bed.endpoint.mark();
        place(customers).await;
        say(&format!("the orders of wave {wave} are submitted twice"));
        all_are_decided(bed, customers).await;
        bed.endpoint.scattered_are_done().await;
        // Not after the last wave: the credentials that signed these requests would have expired.
        late += repeat_events(bed, begun, &mut random).await;
    }
    bed.bus_is_idle(DEADLINE).await;

    for kill in &kills {
        assert!(kill.is_done(), "every order has come to its moment, but no process was killed at {kill:?}");
    }
    let (drops, mut dropped) = (Drops::new(bed, "SettleOrderFunctionName").await, 0);
    for customer in &all {
        let expected: BTreeSet<_> = customer.orders.iter().map(|(id, order)| (id.clone(), order.outcome())).collect();
        dropped += drops.catch_up(&customer.listener, &customer.orders.keys().cloned().collect()).await;
        let received = customer.received();
        assert!(
            received.is_subset(&expected),
            "{} must receive the outcomes of their orders: {received:?}",
            customer.owner
        );
    }
    let (statuses, decisions) = (bed.stack.statuses().await, decisions(bed, mark));
    for (key, id, order) in keys(&all) {
        let status = if order.refusing.is_some() { "CANCELLED" } else { "CONFIRMED" };
        assert_eq!(statuses.get(&key).map(String::as_str), Some(status), "{id}");
        assert_eq!(decisions.get(&key), Some(&1), "{id} must be decided once");
    }
    check_stock(&supplied, &bed.stack.books("stock").await, &shelves, &all);
    check_money(&supplied, &bed.stack.books("payment").await, &all);
    let confirmed = all.iter().map(|customer| customer.confirmed().count()).sum();
    check_shipments(&bed.stack.books("shipment").await, &all, confirmed);
    let mut dead = 0;
    for queue in lanes::queues() {
        dead += bed.stack.messages_in(queue.dead_letter_url_output).await;
    }
    assert_eq!(dead, 0, "nothing may be in a dead-letter queue");
    Figures::default()
        .with("orders", expected)
        .with("confirmed", confirmed)
        .with("cancelled", expected - confirmed)
        .with("events repeated after the end", late)
        .with("requests", bed.endpoint.since(mark).len())
        .with("killed", kills.len())
        .with("seed", seed)
        .with("lost", 0)
        .with("done twice", 0)
        .with("holds left", 0)
        .with("frames dropped", dropped)
}

/// Before the first order, by counter.
type Supplied = BTreeMap<String, i64>;

/// Supplies what confirmed orders take, what orders hold until they are cancelled, and some more.
async fn supply(bed: &TestBed, shelves: &Shelves, all: &[Customer]) -> Supplied {
    let ordered =
        |sku: &str| all.iter().flat_map(|customer| customer.orders.values()).map(|order| units(&order.body, sku)).sum();
    let (plenty, luxury): (i64, i64) = (ordered(&shelves.plenty), ordered(&shelves.luxury));
    let mut supplied = BTreeMap::from([
        (shelves.plenty.clone(), plenty + SPARE),
        (shelves.luxury.clone(), luxury + SPARE),
        (shelves.scarce.clone(), 4),
    ]);
    for (sku, units) in &supplied {
        bed.stack.add_stock(sku, *units).await;
    }
    for customer in all {
        let payable =
            customer.orders.values().map(|order| total(&order.body)).filter(|total| *total < UNPAYABLE.into());
        let money = payable.sum::<i64>() + SPARE;
        bed.stack.add_money(&customer.owner, "EUR", money).await;
        supplied.insert(account(&customer.owner, "EUR"), money);
    }
    supplied
}

/// Chooses the order ids, the orders at which functions are killed, and when each copy of each event arrives.
/// `TWOLANE_SEED` repeats a run, on a new stack.
fn seed() -> u64 {
    let seed = env::var("TWOLANE_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    say(&format!("TWOLANE_SEED={seed} repeats this"));
    seed
}

/// Every event arrives after a while, and that of each order's first request twice. With two requests, settle-order
/// gets `order.submitted` three times and repeats `order.placed` each time. So do the steps, and settle-order with what
/// follows.
fn arrive_in_any_order(bed: &TestBed, seed: u64) {
    let late = |copies| Fault::Scatter(Scatter { copies, within: LATE, seed });
    bed.endpoint.inject(Rule::new(Call::is_publish, When::Always, late(1)));
    let requested = Mutex::new(HashSet::new());
    let is_first = move |call: &Call| {
        call.event.as_deref() == Some("order.submitted") && requested.lock().unwrap().insert(call.key.clone())
    };
    bed.endpoint.inject(Rule::new(is_first, When::Always, late(2)));
}

/// Publishes events again that have arrived less than three times, after their orders have ended. Returns their number.
async fn repeat_events(bed: &TestBed, mark: usize, random: &mut Rng) -> usize {
    let mut arrivals = BTreeMap::<_, Vec<_>>::new();
    for passed in bed.endpoint.since(mark).into_iter().filter(|passed| passed.answered == Some(200)) {
        if let Some(event) = passed.call.event.clone() {
            arrivals.entry((passed.call.key.clone(), event)).or_default().push(passed);
        }
    }
    let mut late: Vec<_> = arrivals
        .into_values()
        .flat_map(|arrived| vec![arrived[0].clone(); ARRIVALS.saturating_sub(arrived.len())])
        .collect();
    random.shuffle(&mut late);
    stream::iter(&late)
        .for_each_concurrent(CLIENTS, |passed| async move {
            assert_eq!(bed.endpoint.repeat(passed).await.expect("SNS answers"), 200, "{passed:?}");
        })
        .await;
    late.len()
}

/// Aims kills at each moment of each function, each at another order that reaches it. settle-order drops frames to a
/// socket when its posts wait too long, so the kills at notifications are aimed at sockets that need none.
fn aim(bed: &TestBed, all: &[Customer], second_sockets: &[Listener], times: usize, random: &mut Rng) -> Vec<Kill> {
    let mut orders: Vec<_> = all.iter().flat_map(|customer| &customer.orders).collect();
    random.shuffle(&mut orders);
    let at_orders = vec![moments(); times].into_iter().flatten().map(|moment| {
        let at = orders.iter().position(|(_, order)| moment.suits(order.refusing));
        let at = at.unwrap_or_else(|| panic!("no order is left that reaches {moment:?}"));
        moment.aim(bed, orders.swap_remove(at).0)
    });
    let sockets = notifications().into_iter().zip(second_sockets);
    at_orders.chain(sockets.map(|(moment, socket)| moment.aim(bed, &socket.connection_id))).collect()
}

/// Each order twice. Customers do not wait for each other, but too many make a busy machine busier.
async fn place(all: &[Customer]) {
    stream::iter(all)
        .for_each_concurrent(CLIENTS, |customer| async move {
            let api = ApiClient::for_user(&customer.owner);
            for (id, order) in &customer.orders {
                // API Gateway answers 502 if the function is killed.
                bus::submit_despite(&[502, 503, 504], &api, id, &order.body).await;
                bus::submit_despite(&[502, 503, 504], &api, id, &order.body).await;
            }
        })
        .await;
}

/// Waits until every order is decided. The deadline is for the next order, not for all: a busy machine is slow, but
/// goes on.
async fn all_are_decided(bed: &TestBed, customers: &[Customer]) {
    let expected = keys(customers).count();
    let (mut decided, mut deadline) = (0, Instant::now() + DEADLINE);
    let mut look = interval(LOOK_EVERY);
    while decided < expected {
        look.tick().await;
        let statuses = bed.stack.statuses().await;
        let is_decided =
            |key: &String| statuses.get(key).is_some_and(|status| status == "CONFIRMED" || status == "CANCELLED");
        let now = keys(customers).map(|(key, ..)| key).filter(|key| is_decided(key)).count();
        if now > decided {
            (decided, deadline) = (now, Instant::now() + DEADLINE);
            say(&format!("{decided} of {expected} decided"));
        }
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} in vain for more than {decided} of {expected} decisions"
        );
    }
}

/// By key in the orders table.
fn keys(all: &[Customer]) -> impl Iterator<Item = (String, &String, &Ordered)> {
    all.iter().flat_map(|customer| {
        customer.orders.iter().map(move |(id, order)| (format!("{}#{id}", customer.owner), id, order))
    })
}

/// Accepted writes that decided an order, by its key.
fn decisions(bed: &TestBed, mark: usize) -> BTreeMap<String, usize> {
    let mut decisions = BTreeMap::new();
    for Passed { call, answered, .. } in bed.endpoint.since(mark) {
        if answered == Some(200) && (call.writes("CONFIRMED") || call.writes("CANCELLED")) {
            *decisions.entry(call.key).or_default() += 1;
        }
    }
    decisions
}

fn check_stock(supplied: &Supplied, books: &Books, shelves: &Shelves, all: &[Customer]) {
    for sku in [&shelves.plenty, &shelves.luxury, &shelves.scarce] {
        let confirmed = all.iter().flat_map(Customer::confirmed);
        let taken: i64 = confirmed.map(|order| units(order, sku)).sum();
        assert_eq!(books.counters[sku], supplied[sku] - taken, "{sku}: what is left");
        assert_eq!(books.taken_from(sku), taken, "{sku}: what orders hold");
    }
    no_hold_is_left(books, "stock", all);
}

fn check_money(supplied: &Supplied, books: &Books, all: &[Customer]) {
    for customer in all {
        let account = account(&customer.owner, "EUR");
        let paid: i64 = customer.confirmed().map(total).sum();
        assert_eq!(books.counters[&account], supplied[&account] - paid, "{account}: what is left");
        assert_eq!(books.taken_from(&account), paid, "{account}: what orders took");
    }
    no_hold_is_left(books, "payment", all);
}

/// One parcel per confirmed order, and every counter adds up, bookings of other tests included.
fn check_shipments(books: &Books, all: &[Customer], confirmed: usize) {
    let mut booked = 0;
    for customer in all {
        for (id, order) in &customer.orders {
            let hold = &books.orders[&format!("{}#{id}", customer.owner)];
            let is_booked = order.refusing.is_none();
            assert_eq!(hold.state, if is_booked { "DONE" } else { "UNDONE" }, "{id}");
            booked += usize::from(is_booked && hold.taken.values().sum::<i64>() == 1);
        }
    }
    assert_eq!(booked, confirmed, "parcels");
    for (counter, left) in &books.counters {
        assert_eq!(left + books.taken_from(counter), PARCELS_A_COUNTER, "{counter}");
    }
    no_hold_is_left(books, "shipment", all);
}

fn no_hold_is_left(books: &Books, service: &str, all: &[Customer]) {
    assert!(books.held().is_empty(), "{service} has holds left: {:?}", books.held());
    let known =
        all.iter().flat_map(|customer| customer.orders.keys().map(move |id| format!("{}#{id}", customer.owner)));
    assert!(known.into_iter().all(|order| books.orders.contains_key(&order)), "{service} must know every order");
    assert_eq!(steps().len(), 3);
}
