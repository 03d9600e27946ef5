//! Where functions of the bus lane can be killed: before and after each thing that they ask of AWS.

use crate::{bus::output_of, rig::Rig, workers};
use fault_endpoint::{Call, Fault, Gate, Rule, When};
use hyper::StatusCode;
use lanes::StepSpec;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use testkit::{outputs::output, services::steps};
use tokio::time::timeout;

/// Longest wait for a moment, while functions are killed in others.
const DEADLINE: Duration = Duration::from_mins(4);

/// Something that a function asks of AWS while it handles a message.
struct Work {
    /// The output with the function's name.
    function: &'static str,
    name: String,
    is_it: Box<dyn Fn(&Call) -> bool + Send + Sync>,
}

impl Work {
    fn new(function: &str, name: &str, is_it: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        let name = format!("{function} {name}");
        Self { function: output_of(function), name, is_it: Box::new(is_it) }
    }
}

/// A moment in the work of a function on one message.
pub(crate) struct Moment {
    work: Arc<Work>,
    is_done: bool,
}

impl Moment {
    /// Kills the function's process in the first such moment from now on.
    pub(crate) async fn kill(self, rig: &Rig) {
        let killed = timeout(DEADLINE, self.kill_first(rig)).await;
        let when = if self.is_done { "after" } else { "before" };
        assert!(killed.is_ok(), "no process was killed {when} {} within {DEADLINE:?}", self.work.name);
    }

    async fn kill_first(&self, rig: &Rig) {
        let gate = self.aim(rig);
        let function = output(self.work.function);
        let mut requests = 1;
        loop {
            gate.reached(requests).await;
            let clients = gate.clients();
            let held = workers::connected_from(function, &clients);
            // On a busy machine the client may have closed the connection by now, to try again: then the retry waits.
            let victims = if held.is_empty() { workers::of(function) } else { held };
            if victims.into_iter().filter(|pid| workers::kill(*pid)).count() > 0 {
                return gate.open();
            }
            requests = clients.len() + 1;
        }
    }

    /// Lets the first order that comes to this moment wait at a gate, with its other deliveries and its client's retries.
    fn aim(&self, rig: &Rig) -> Gate {
        let (gate, first, work) = (Gate::closed(), OnceLock::new(), Arc::clone(&self.work));
        let fault = if self.is_done { Fault::HoldAfter(gate.clone()) } else { Fault::HoldBefore(gate.clone()) };
        let closed = gate.clone();
        let is_about = move |call: &Call| {
            !closed.is_open()
                && *call.caller == *work.function
                && (work.is_it)(call)
                && *first.get_or_init(|| call.key.clone()) == call.key
        };
        rig.endpoint.inject(Rule::new(is_about, When::Always, fault));
        gate
    }
}

/// Orders that are cancelled before the steps can hold: by id, the function that refuses the order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overtaken(pub(crate) BTreeMap<String, &'static str>);

impl Overtaken {
    /// Whether the call is of a step that `order.cancelled` must reach before it holds.
    fn concerns(&self, call: &Call) -> bool {
        self.0.get(call.order_id()).is_some_and(|refusing| **refusing != *call.caller)
    }

    /// Lets every hold of these orders fail until its step records the cancellation.
    pub(crate) fn delay(self, rig: &Rig) {
        let cancelled = Mutex::new(BTreeSet::new());
        let comes_too_early = move |call: &Call| {
            let (step, mut cancelled) = ((call.caller.clone(), call.key.clone()), cancelled.lock().unwrap());
            if call.writes("UNDONE") {
                cancelled.insert(step);
                return false;
            }
            call.transacts("HELD") && self.concerns(call) && !cancelled.contains(&step)
        };
        let fault = Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
        rig.endpoint.inject(Rule::new(comes_too_early, When::Always, fault));
    }
}

/// Every moment between what each worker reads, writes and publishes and the end of its message, by function: moments of one
/// function follow each other. A notification is one to `connection_id`: frames to a socket whose posts wait too long are dropped,
/// so it should be a socket that needs none.
pub(crate) fn moments(overtaken: &Overtaken, connection_id: &str) -> Vec<Vec<Moment>> {
    let works = std::iter::once(settling(connection_id)).chain(steps().iter().map(|step| stepping(step, overtaken)));
    works.map(|works| works.into_iter().flat_map(before_and_after).collect()).collect()
}

fn before_and_after(work: Work) -> [Moment; 2] {
    let work = Arc::new(work);
    [false, true].map(|is_done| Moment { work: Arc::clone(&work), is_done })
}

/// The rarer one of an order's ends first, so that there are orders left that end so.
fn settling(connection_id: &str) -> Vec<Work> {
    let connection_id = connection_id.to_owned();
    let settle = |name, is_it: fn(&Call) -> bool| Work::new("settle-order", name, is_it);
    let publishes =
        |event: &'static str| Work::new("settle-order", &format!("publishes {event}"), is_publish_of(event));
    vec![
        settle("records an order", |call| call.writes("PLACED")),
        publishes("order.placed"),
        settle("counts a vote", |call| call.operation == "UpdateItem" && call.status.is_none()),
        settle("cancels", |call| call.writes("CANCELLED")),
        publishes("order.cancelled"),
        // The last vote's second update: the first one found that it is the last.
        settle("confirms", |call| call.writes("CONFIRMED")),
        publishes("order.confirmed"),
        Work::new("settle-order", "notifies an owner", move |call| call.is_post() && call.key == connection_id),
    ]
}

fn stepping(step: &StepSpec, overtaken: &Overtaken) -> Vec<Work> {
    let work = |name, is_it: fn(&Call) -> bool| Work::new(step.function, name, is_it);
    let (is_vote, overtaken) = (is_publish_of(step.name), overtaken.clone());
    let mut works = vec![
        work("holds", |call| call.transacts("HELD")),
        Work::new(step.function, "leaves a tombstone", move |call| call.writes("UNDONE") && overtaken.concerns(call)),
        // The tombstone was refused, as there is a hold.
        work("gives back", |call| call.transacts("UNDONE")),
        Work::new(step.function, "votes", is_vote),
        work("makes a hold final", |call| call.writes("DONE")),
    ];
    // There is always a day with room.
    if step.name != "shipment" {
        works.insert(0, work("refuses", |call| call.writes("REFUSED")));
    }
    works
}

/// Whether a call publishes an event whose type begins with that.
fn is_publish_of(event: &'static str) -> impl Fn(&Call) -> bool + Send + Sync + 'static {
    move |call| call.event.as_ref().is_some_and(|published| published.starts_with(event))
}
