//! The moments at which tests kill functions of the bus lane: before and after each request to AWS.

use crate::{bus::output_of, test_bed::TestBed, workers};
use fault_endpoint::{Call, Fault, Gate, Rule, When};
use hyper::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use testkit::{outputs::output, services::steps};
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug)]
enum Request {
    /// Of an order with that status, or of a hold in that state.
    Write(&'static str),
    /// It leaves a hold in that state.
    Transaction(&'static str),
    /// The first update with one. The deciding vote is another write.
    Vote,
    /// Its type ends with this.
    Event(&'static str),
    Frame,
}

impl Request {
    fn is(self, call: &Call) -> bool {
        match self {
            Self::Write(status) => call.writes(status),
            Self::Transaction(state) => call.transacts(state),
            Self::Vote => call.operation == "UpdateItem" && call.status.is_none(),
            Self::Event(end) => call.event.as_ref().is_some_and(|event| event.ends_with(end)),
            Self::Frame => call.is_post(),
        }
    }
}

/// Orders for which a function sends the request.
#[derive(Clone, Copy, Debug)]
enum Orders {
    Confirmed,
    Cancelled,
    /// The function itself refuses them.
    Refused,
    /// Cancelled before the function holds.
    Overtaken,
    /// Cancelled after the function holds.
    Undone,
}

/// It writes nothing. If it dies, the client repeats the request.
const PUBLISHING: (Request, Orders) = (Request::Event(".submitted"), Orders::Confirmed);

const SETTLING: [(Request, Orders); 7] = [
    (Request::Write("PLACED"), Orders::Confirmed),
    (Request::Event(".placed"), Orders::Confirmed),
    (Request::Vote, Orders::Confirmed),
    (Request::Write("CONFIRMED"), Orders::Confirmed),
    (Request::Event(".confirmed"), Orders::Confirmed),
    (Request::Write("CANCELLED"), Orders::Cancelled),
    (Request::Event(".cancelled"), Orders::Cancelled),
];

const STEPPING: [(Request, Orders); 7] = [
    (Request::Transaction("HELD"), Orders::Confirmed),
    (Request::Event(".held"), Orders::Confirmed),
    (Request::Write("DONE"), Orders::Confirmed),
    (Request::Write("REFUSED"), Orders::Refused),
    (Request::Event(".refused"), Orders::Refused),
    (Request::Write("UNDONE"), Orders::Overtaken),
    (Request::Transaction("UNDONE"), Orders::Undone),
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// With the function's name.
    function: &'static str,
    request: Request,
    is_done: bool,
    orders: Orders,
}

/// Between a worker's reads, writes and publications and the end of its message.
pub(crate) fn moments() -> Vec<Moment> {
    let publishing = [("publish-order", PUBLISHING)];
    let settling = SETTLING.map(|work| ("settle-order", work));
    let stepping = steps().iter().flat_map(|step| STEPPING.map(|work| (step.function, work)));
    // It never refuses: some day always has capacity.
    let stepping = stepping.filter(|work| !matches!(work, ("book-shipment", (_, Orders::Refused))));
    let works = publishing.into_iter().chain(settling).chain(stepping);
    works.flat_map(|(function, (request, orders))| before_and_after(function, request, orders)).collect()
}

/// Before a function publishes that a step failed, in the message's last delivery.
pub(crate) fn last_vote(function: &str) -> Moment {
    before_and_after(function, Request::Event(".failed"), Orders::Confirmed)[0]
}

/// Between the write of a deadline and its publication.
pub(crate) fn deadline() -> Moment {
    before_and_after("settle-order", Request::Write("CANCELLED"), Orders::Cancelled)[1]
}

pub(crate) fn notifications() -> [Moment; 2] {
    before_and_after("settle-order", Request::Frame, Orders::Confirmed)
}

fn before_and_after(function: &str, request: Request, orders: Orders) -> [Moment; 2] {
    [false, true].map(|is_done| Moment { function: output_of(function), request, is_done, orders })
}

impl Moment {
    /// Whether an order gets here. `refusing` is the output of the function that refuses it, if any.
    pub(crate) fn suits(&self, refusing: Option<&str>) -> bool {
        match self.orders {
            Orders::Confirmed => refusing.is_none(),
            Orders::Cancelled => refusing.is_some(),
            Orders::Refused => refusing == Some(self.function),
            Orders::Overtaken | Orders::Undone => refusing.is_some_and(|refusing| refusing != self.function),
        }
    }

    /// Kills the first process at this moment of the order or socket. Until then, the function's requests about it wait
    /// there.
    pub(crate) fn aim(self, bed: &TestBed, subject: &str) -> Kill {
        match self.orders {
            Orders::Overtaken => {
                let holds = move |call: &Call| *call.caller == *self.function && call.transacts("HELD");
                self.fail_until(bed, subject, holds, Request::Write("UNDONE"));
            }
            // A step votes after it writes its hold.
            Orders::Undone => self.fail_until(bed, subject, |call| call.writes("REFUSED"), Request::Event(".held")),
            Orders::Confirmed | Orders::Cancelled | Orders::Refused => {}
        }
        // Never opens, because requests of a dead process must not reach AWS.
        let (gate, is_killed) = (Gate::closed(), Arc::new(AtomicBool::new(false)));
        let fault = if self.is_done { Fault::HoldAfter(gate.clone()) } else { Fault::HoldBefore(gate.clone()) };
        let (killed, about, asked) = (Arc::clone(&is_killed), subject.to_owned(), AtomicBool::new(false));
        let waits = move |call: &Call| {
            if killed.load(Ordering::Relaxed) || !call.is_about(&about) || *call.caller != *self.function {
                return false;
            }
            // On a busy machine the client may time out before the kill. A redelivery does not always repeat a
            // completed request. So its next request counts as after this one, too.
            let is_it = self.request.is(call);
            asked.fetch_or(is_it, Ordering::Relaxed) && self.is_done || is_it
        };
        bed.endpoint.inject(Rule::new(waits, When::Always, fault));
        let (killed, function) = (Arc::clone(&is_killed), output(self.function));
        let killing = tokio::spawn(async move {
            kill_first(function, gate).await;
            killed.store(true, Ordering::Relaxed);
        });
        Kill { moment: self, subject: subject.to_owned(), is_killed, killing }
    }

    /// Fails requests that are too early for this order until the function sends `first`. Their messages are
    /// redelivered.
    fn fail_until(
        self,
        bed: &TestBed,
        order_id: &str,
        is_early: impl Fn(&Call) -> bool + Send + 'static,
        first: Request,
    ) {
        let (asked, about) = (AtomicBool::new(false), order_id.to_owned());
        let fails = move |call: &Call| {
            if !call.is_about(&about) {
                return false;
            }
            let is_first = *call.caller == *self.function && first.is(call);
            !asked.fetch_or(is_first, Ordering::Relaxed) && is_early(call)
        };
        let fault = Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
        bed.endpoint.inject(Rule::new(fails, When::Always, fault));
    }
}

#[derive(Debug)]
pub(crate) struct Kill {
    #[expect(dead_code, reason = "a failure prints it")]
    moment: Moment,
    #[expect(dead_code, reason = "a failure prints it")]
    subject: String,
    is_killed: Arc<AtomicBool>,
    killing: JoinHandle<()>,
}

impl Kill {
    pub(crate) fn is_done(&self) -> bool {
        self.is_killed.load(Ordering::Relaxed)
    }
}

impl Drop for Kill {
    fn drop(&mut self) {
        self.killing.abort();
    }
}

async fn kill_first(function: &str, gate: Gate) {
    let mut seen = 0;
    loop {
        gate.reached(seen + 1).await;
        let clients = gate.clients();
        let held = workers::connected_from(function, &clients[seen..]);
        if held.into_iter().filter(|pid| workers::kill(*pid)).count() > 0 {
            return;
        }
        // The process was killed at another order of its batch, or its client timed out. A redelivery or a retry
        // follows.
        seen = clients.len();
    }
}
