//! Everything at once in the bus lane: every order twice, every event three times and in any order, functions killed at every
//! moment.

use crate::{
    Load, bus,
    figures::{Figures, tell},
    listener::Listener,
    rig::Rig,
};
use fault_endpoint::{Call, Fault, Rule, When};
use futures_util::future::join_all;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Mutex,
    time::Duration,
};
use testkit::{
    api_client::ApiClient,
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in},
    services::{Books, account, steps, total},
    socket::OUTCOMES,
};

/// Longest time until all is decided.
const DEADLINE: Duration = Duration::from_mins(8);

/// How late a repeated event arrives at most.
const LATE: Duration = Duration::from_secs(3);

/// Deliveries before the dead-letter queue: killed functions and a busy machine use up more than the template's five.
const DELIVERIES: u32 = 50;

/// More than any account has.
const UNPAYABLE: u32 = 1_000_000_000;

/// Units and money that no order takes.
const SPARE: i64 = 7;

/// Parcels of a day. Source: the default of `ShipmentsPerDay` in template.yaml.
const PARCELS_A_DAY: i64 = 100_000;

/// One owner's orders, and what must become of them.
struct Customer {
    owner: String,
    listener: Listener,
    /// By id: the order, and the type of the frame with its outcome.
    orders: BTreeMap<String, (Value, &'static str)>,
}

/// SKUs of which all that is ordered is there, but for the last, of which there is too little for any order.
struct Shelves {
    plenty: String,
    luxury: String,
    scarce: String,
}

impl Customer {
    /// One order in ten is out of stock, and one in ten cannot be paid.
    async fn with_orders(rig: &Rig, shelves: &Shelves, run: &str, number: usize, orders: usize) -> Self {
        let owner = format!("storm-{number}-{run}");
        let listener = Listener::open(rig, &owner).await;
        let order = |at: usize| match at % 10 {
            3 => (order_in("EUR", &[(&shelves.plenty, 1, 100), (&shelves.scarce, 5, 100)]), "order.cancelled"),
            8 => (order_in("EUR", &[(&shelves.luxury, 1, UNPAYABLE)]), "order.cancelled"),
            at => (order_in("EUR", &[(&shelves.plenty, 1 + u32::from(at % 3 == 0), 199)]), "order.confirmed"),
        };
        let orders = (number..number + orders).map(|at| (new_id(), order(at))).collect();
        Self { owner, listener, orders }
    }

    fn ending(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.orders.values().filter(move |(_, end)| *end == kind).map(|(order, _)| order)
    }

    /// How many of their orders the customer heard of.
    fn heard(&self) -> BTreeSet<(String, &'static str)> {
        let outcomes = OUTCOMES.iter();
        outcomes.flat_map(|kind| self.listener.outcomes(kind).into_keys().map(move |id| (id, *kind))).collect()
    }
}

fn units(order: &Value, sku: &str) -> i64 {
    let lines = order["items"].as_array().expect("an order has items").iter();
    lines.filter(|line| line["sku"] == *sku).map(|line| line["quantity"].as_i64().unwrap()).sum()
}

pub(crate) async fn every_order_ends_once_and_only_confirmed_ones_take_anything(rig: &Rig, load: Load) -> Figures {
    let (customers, orders_each) = (load.pick(10, 50), load.pick(20, 40));
    let expected = customers * orders_each;
    let shelves = Shelves { plenty: new_sku(), luxury: new_sku(), scarce: new_sku() };
    let (run, mark) = (new_id(), rig.endpoint.mark());
    let mut all = Vec::new();
    for number in 0..customers {
        all.push(Customer::with_orders(rig, &shelves, &run, number, orders_each).await);
    }
    rig.set_bus_deliveries(DELIVERIES).await;
    let supplied = supply(rig, &shelves, &all).await;
    rig.endpoint.inject(every_event_three_times());

    let ((), killed) = tokio::join!(place(&all), kill_at_every_moment(rig));
    tell(&format!("{expected} orders are submitted twice, {killed} functions were killed"));
    all_are_heard_of(&all, expected).await;
    rig.endpoint.repeats_are_done().await;
    rig.bus_is_idle(DEADLINE).await;

    for customer in &all {
        let expected: BTreeSet<_> = customer.orders.iter().map(|(id, (_, end))| (id.clone(), *end)).collect();
        assert_eq!(customer.heard(), expected, "{} must hear of each of their orders and of no other", customer.owner);
    }
    let statuses = rig.stack.statuses().await;
    for (customer, (id, (_, end))) in all.iter().flat_map(|customer| customer.orders.iter().map(move |o| (customer, o)))
    {
        let status = if *end == "order.confirmed" { "CONFIRMED" } else { "CANCELLED" };
        assert_eq!(statuses.get(&format!("{}#{id}", customer.owner)).map(String::as_str), Some(status), "{id}");
        assert_eq!(decisions(rig, mark, id), 1, "{id} must be decided once");
    }
    check_stock(&supplied, &rig.stack.books("stock").await, &shelves, &all);
    check_money(&supplied, &rig.stack.books("payment").await, &all);
    let confirmed = all.iter().map(|customer| customer.ending("order.confirmed").count()).sum();
    check_shipments(&rig.stack.books("shipment").await, &all, confirmed);
    let mut dead = 0;
    for queue in lanes::queues() {
        dead += rig.stack.messages_in(queue.dead_letter_url_output).await;
    }
    assert_eq!(dead, 0, "nothing may be in a dead-letter queue");
    Figures::default()
        .with("orders", expected)
        .with("confirmed", confirmed)
        .with("cancelled", expected - confirmed)
        .with("requests", rig.endpoint.since(mark).len())
        .with("killed", killed)
        .with("lost", 0)
        .with("done twice", 0)
        .with("holds left", 0)
}

/// What was there before the first order, by counter.
type Supplied = BTreeMap<String, i64>;

/// Fills shelves and accounts: what confirmed orders take, what orders hold until they are cancelled, and some more.
async fn supply(rig: &Rig, shelves: &Shelves, all: &[Customer]) -> Supplied {
    let ordered =
        |sku: &str| all.iter().flat_map(|customer| customer.orders.values()).map(|(order, _)| units(order, sku)).sum();
    let (plenty, luxury): (i64, i64) = (ordered(&shelves.plenty), ordered(&shelves.luxury));
    let mut supplied = BTreeMap::from([
        (shelves.plenty.clone(), plenty + SPARE),
        (shelves.luxury.clone(), luxury + SPARE),
        (shelves.scarce.clone(), 4),
    ]);
    for (sku, units) in &supplied {
        rig.stack.add_stock(sku, *units).await;
    }
    for customer in all {
        let payable = customer.orders.values().map(|(order, _)| total(order)).filter(|total| *total < UNPAYABLE.into());
        let money = payable.sum::<i64>() + SPARE;
        rig.stack.add_money(&customer.owner, "EUR", money).await;
        supplied.insert(account(&customer.owner, "EUR"), money);
    }
    supplied
}

/// The first publish of each event arrives three times.
fn every_event_three_times() -> Rule {
    let seen = Mutex::new(HashSet::new());
    let is_first =
        move |call: &Call| call.is_publish() && seen.lock().unwrap().insert((call.key.clone(), call.event.clone()));
    Rule::new(is_first, When::Always, Fault::Repeat { times: 2, within: LATE })
}

/// Every customer's orders, each one twice; customers do not wait for each other.
async fn place(all: &[Customer]) {
    let placing = all.iter().map(|customer| async move {
        let api = ApiClient::of(&customer.owner);
        for (id, (order, _)) in &customer.orders {
            bus::submit(&api, id, order).await;
            bus::submit(&api, id, order).await;
        }
    });
    join_all(placing).await;
}

/// Kills each worker at each moment of its work, one moment after the other; how many were killed.
async fn kill_at_every_moment(rig: &Rig) -> usize {
    let killing = bus::moments().into_iter().map(|moments| async move {
        let count = moments.len();
        for moment in moments {
            moment.kill(rig).await;
        }
        count
    });
    join_all(killing).await.into_iter().sum()
}

async fn all_are_heard_of(all: &[Customer], expected: usize) {
    let mut shown = 0;
    eventually(DEADLINE, "every owner hears of each of their orders", async || {
        let heard = all.iter().map(|customer| customer.heard().len()).sum();
        if heard >= shown + 100 {
            shown = heard;
            tell(&format!("{heard} of {expected} heard of"));
        }
        (heard >= expected).then_some(())
    })
    .await;
}

/// How many writes that decided the order AWS took.
fn decisions(rig: &Rig, mark: usize, id: &str) -> usize {
    ["CONFIRMED", "CANCELLED"].iter().map(|status| rig.endpoint.writes(mark, id, status)).sum()
}

fn check_stock(supplied: &Supplied, books: &Books, shelves: &Shelves, all: &[Customer]) {
    for sku in [&shelves.plenty, &shelves.luxury, &shelves.scarce] {
        let confirmed = all.iter().flat_map(|customer| customer.ending("order.confirmed"));
        let taken: i64 = confirmed.map(|order| units(order, sku)).sum();
        assert_eq!(books.counters[sku], supplied[sku] - taken, "{sku}: what is left");
        assert_eq!(books.taken_from(sku), taken, "{sku}: what orders hold");
    }
    no_hold_is_left(books, "stock", all);
}

fn check_money(supplied: &Supplied, books: &Books, all: &[Customer]) {
    for customer in all {
        let account = account(&customer.owner, "EUR");
        let paid: i64 = customer.ending("order.confirmed").map(total).sum();
        assert_eq!(books.counters[&account], supplied[&account] - paid, "{account}: what is left");
        assert_eq!(books.taken_from(&account), paid, "{account}: what orders took");
    }
    no_hold_is_left(books, "payment", all);
}

/// Each confirmed order has one parcel, and every day adds up, bookings of other tests included.
fn check_shipments(books: &Books, all: &[Customer], confirmed: usize) {
    let mut booked = 0;
    for customer in all {
        for (id, (_, end)) in &customer.orders {
            let hold = &books.orders[&format!("{}#{id}", customer.owner)];
            let is_booked = *end == "order.confirmed";
            assert_eq!(hold.state, if is_booked { "DONE" } else { "UNDONE" }, "{id}");
            booked += usize::from(is_booked && hold.taken.values().sum::<i64>() == 1);
        }
    }
    assert_eq!(booked, confirmed, "parcels");
    for (day, left) in &books.counters {
        assert_eq!(left + books.taken_from(day), PARCELS_A_DAY, "{day}");
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
