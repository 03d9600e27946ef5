//! Simulates one lane under one load, in steps of 0.1 s or 1 s.
//!
//! Orders are a fluid: amounts flow from stage to stage. Within a step, orders pass all stages that have capacity for
//! them. The stages' durations are added to the delays afterwards.

use crate::durations::{BatchDuration, concurrency_units, counter_items, counter_share, duration, write_units};
use crate::event_source::EventSource;
use crate::flow::{After, Counter, Flow, Stage, flow};
use crate::load::Load;
use crate::resource::{Clock, Environments, Shared, Table, Unfinished, Watch};
use crate::settings::{Key, PlanSettings};
use crate::stage_messages::{RedeliveryPolicy, StageMessages};
use crate::{Bound, Confirm, Refusals};
use lanes::{Answer, Lane, STATUS_SERVICE};
use std::collections::VecDeque;

/// A simulation with waiting orders ends this many seconds after the load.
const MAX_DRAIN_SECONDS: f64 = 12.0 * 3600.0;

/// Seconds after which a function drops a callback. Source: `docs/architecture.md`, one order down the async lane.
const CALLBACK_TIMEOUT: f64 = 5.0;

/// Smaller amounts count as zero.
const HALF_AN_ORDER: f64 = 0.5;

/// Amounts of orders, and the highest use of each resource.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) arrived: f64,
    pub(crate) refused: Refusals,
    pub(crate) accepted: f64,
    /// Orders with an outcome.
    pub(crate) finished: f64,
    /// A message failed all its deliveries.
    pub(crate) failed: f64,
    /// At the deadline.
    pub(crate) too_late: f64,
    /// No day had a shipment left.
    pub(crate) without_a_day: f64,
    /// Their callback was dropped, or had no socket.
    pub(crate) not_called_back: f64,
    pub(crate) callbacks: f64,
    pub(crate) polls: f64,
    /// In the order of the flow.
    pub(crate) stages: Vec<StageMessages>,
    /// From 0.
    pub(crate) seconds: Vec<Second>,
    /// Highest, by function.
    pub(crate) concurrency: Vec<(&'static str, f64)>,
    /// Highest use of the tables, in write units per second.
    pub(crate) write_units: Vec<(&'static str, f64)>,
    /// The limits that the load reached, where, and when.
    pub(crate) bounds: Vec<Bound>,
}

/// The state at a second's end. Amounts of orders are sums since the first arrival.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    pub(crate) arrived: f64,
    pub(crate) refused: f64,
    pub(crate) accepted: f64,
    pub(crate) finished: f64,
    /// The client knows the outcome.
    pub(crate) known: f64,
    pub(crate) concurrency: f64,
}

struct Function {
    name: &'static str,
    environments: Environments,
    /// Begun in earlier steps and not ended.
    unfinished: Unfinished,
    /// In this step, and the maximum of all steps.
    running: f64,
    most: f64,
}

struct Run<'a> {
    settings: &'a PlanSettings,
    clock: Clock,
    lane: Lane,
    flow: &'static Flow,
    method: Shared,
    status_method: Shared,
    api: Shared,
    sockets: Shared,
    account: Shared,
    reserved: Watch,
    sns: Shared,
    functions: Vec<Function>,
    status_service: usize,
    tables: Vec<(&'static str, Table)>,
    counters: Vec<Option<Shared>>,
    /// By stage: numbers of its function and table, duration, and write units.
    function_of: Vec<Option<usize>>,
    table_of: Vec<Option<usize>>,
    durations: Vec<BatchDuration>,
    units: Vec<f64>,
    sources: Vec<EventSource>,
    policy: RedeliveryPolicy,
    /// Orders placed so far, at the end of the last steps, back to the deadline.
    placed: VecDeque<f64>,
    callbacks: Callbacks,
    polls: Polls,
    result: Simulation,
}

/// Outcomes on their way to sockets.
struct Callbacks {
    pool: f64,
    entered: f64,
    gone: f64,
    wanted_sockets: f64,
    sockets: f64,
    /// Of a callback, in seconds.
    wait: f64,
    /// `entered` at the end of the last steps.
    history: VecDeque<f64>,
}

struct Polls {
    asking: f64,
    known: f64,
}

pub(crate) fn simulate(lane: Lane, load: &Load, settings: &PlanSettings, confirm: Confirm) -> Simulation {
    let clock = clock(load.duration_seconds);
    let mut run = Run::new(lane, settings, clock);
    let confirm = if lane.answer == Answer::Outcome { None } else { Some(confirm) };
    let end = load.duration_seconds;
    let mut step = 0;
    loop {
        let arriving = load.arriving(clock.time(step), clock.step());
        run.step(step, arriving, confirm);
        step += 1;
        let time = clock.time(step);
        if step.is_multiple_of(clock.steps(1))
            && (time >= end && (run.is_idle(confirm) || time > end + MAX_DRAIN_SECONDS))
        {
            return run.finish();
        }
    }
}

/// Steps of 0.1 s for a load of up to an hour, and of 1 s for longer loads.
fn clock(load_seconds: f64) -> Clock {
    Clock { steps_per_second: if load_seconds <= 3600.0 { 10 } else { 1 } }
}

impl<'a> Run<'a> {
    fn new(lane: Lane, settings: &'a PlanSettings, clock: Clock) -> Self {
        let flow = flow(lane);
        let stages = flow.stages;
        let durations: Vec<_> = stages.iter().map(|stage| duration(stage, settings)).collect();
        let mut functions: Vec<Function> = Vec::new();
        let mut function = |name: &'static str| {
            functions.iter().position(|function| function.name == name).unwrap_or_else(|| {
                functions.push(Function {
                    name,
                    environments: Environments::new(settings, clock),
                    unfinished: Unfinished::default(),
                    running: 0.0,
                    most: 0.0,
                });
                functions.len() - 1
            })
        };
        let function_of = stages.iter().map(|stage| stage.function.map(&mut function)).collect();
        let status_service = function(STATUS_SERVICE.name);
        let mut tables: Vec<(&'static str, Table)> = Vec::new();
        let mut table = |name: &'static str| {
            tables.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                tables.push((name, Table::new(settings, clock)));
                tables.len() - 1
            })
        };
        let units: Vec<_> = stages.iter().map(|stage| write_units(stage, settings)).collect();
        let table_of =
            stages.iter().zip(&units).map(|(stage, units)| (*units > 0.0).then(|| table(stage.table))).collect();
        let sources = lane.queues.iter().map(|queue| {
            let numbers: Vec<_> =
                (0..stages.len()).filter(|number| stages[*number].queue == Some(queue.name)).collect();
            let slowest = numbers.iter().map(|number| durations[*number]).reduce(BatchDuration::slowest);
            EventSource::new(
                queue.name,
                numbers,
                slowest.expect("a test finds the stages of each queue"),
                settings,
                clock,
            )
        });
        let counter = |stage: &Stage| {
            let items = |counter| counter_items(counter, settings);
            stage.counter.map(|counter| Shared::new(settings[Key::ItemWriteUnits] * items(counter), 0.0, clock))
        };
        let is_sync = lane.answer == Answer::Outcome;
        let rates =
            if is_sync { (Key::SyncRateLimit, Key::SyncBurstLimit) } else { (Key::ApiRateLimit, Key::ApiBurstLimit) };
        Self {
            settings,
            clock,
            lane,
            flow,
            method: Shared::new(settings[rates.0], settings[rates.1], clock),
            status_method: Shared::new(settings[Key::ApiRateLimit], settings[Key::ApiBurstLimit], clock),
            api: Shared::new(settings[Key::ApiRequestsPerSecond], settings[Key::ApiBurst], clock),
            sockets: Shared::new(
                settings[Key::WebSocketConnectionsPerSecond],
                settings[Key::WebSocketConnectionsPerSecond],
                clock,
            ),
            account: Shared::level(settings[Key::LambdaConcurrency], clock),
            reserved: Watch::default(),
            sns: Shared::new(settings[Key::SnsPublishesPerSecond], 0.0, clock),
            units,
            function_of,
            table_of,
            status_service,
            counters: stages.iter().map(counter).collect(),
            sources: sources.collect(),
            durations,
            functions,
            tables,
            policy: RedeliveryPolicy::new(settings, clock),
            placed: VecDeque::new(),
            callbacks: Callbacks::new(),
            polls: Polls { asking: 0.0, known: 0.0 },
            result: Simulation::new(stages.len()),
        }
    }

    fn step(&mut self, step: u64, arriving: f64, confirm: Option<Confirm>) {
        self.begin(step);
        let accepted = self.request(arriving, step);
        let before = self.result.finished;
        if confirm == Some(Confirm::Callback) {
            self.open_sockets(accepted, step);
        }
        self.serve_queues(step);
        self.decide();
        let finished = self.result.finished - before;
        let known = match confirm {
            None => self.result.accepted,
            Some(Confirm::Callback) => self.call_back(finished, step),
            Some(Confirm::Poll) => self.poll(accepted, step),
        };
        self.record(step, known);
    }

    fn begin(&mut self, step: u64) {
        for shared in [
            &mut self.method,
            &mut self.status_method,
            &mut self.api,
            &mut self.sockets,
            &mut self.account,
            &mut self.sns,
        ] {
            shared.begin();
        }
        for (_, table) in &mut self.tables {
            table.begin(step);
        }
        for counter in self.counters.iter_mut().flatten() {
            counter.begin();
        }
        for function in &mut self.functions {
            function.most = function.most.max(function.running);
            function.running = function.unfinished.begin();
            function.environments.begin(function.running);
            self.account.hold(function.running);
        }
        for messages in &mut self.result.stages {
            messages.begin(&self.policy);
        }
    }

    /// Processes arriving requests up to their answers. Returns the accepted orders.
    fn request(&mut self, arriving: f64, step: u64) -> f64 {
        let stage = &self.flow.stages[0];
        self.result.arrived += arriving;
        let taken = self.method.grant(arriving, step);
        let through = self.api.grant(taken, step);
        self.result.refused.throttled += arriving - through;
        let seconds = self.durations[0].of(1.0);
        let invoked = match self.function_of[0] {
            Some(function) => through * self.invoke(function, through, seconds, true, step),
            None => through,
        };
        self.result.refused.function_throttled += through - invoked;
        let accepted = invoked * self.effect(0, invoked, step);
        self.result.refused.dependency_over_limit += invoked - accepted;
        self.result.accepted += accepted;
        let messages = &mut self.result.stages[0];
        messages.entered += invoked;
        messages.passed += accepted;
        if stage.function.is_some() {
            messages.invocations += invoked;
            messages.busy_seconds += invoked * seconds;
        }
        accepted
    }

    /// Starts invocations. Returns the part that gets concurrency. Invocations longer than the step keep theirs until
    /// they end.
    fn invoke(&mut self, function: usize, invocations: f64, seconds: f64, is_request: bool, step: u64) -> f64 {
        let function = &mut self.functions[function];
        let steps = concurrency_units(seconds, self.settings) / self.clock.step();
        let want = invocations * steps.min(1.0);
        let mut got = function.environments.take(want, step);
        let reserved = self.settings[Key::ReservedConcurrentExecutions];
        if is_request && reserved > 0.0 && got > reserved - function.running {
            self.reserved.note(step);
            got = (reserved - function.running).max(0.0);
        }
        let got = self.account.grant(got, step);
        let part = if want > 0.0 { got / want } else { 1.0 };
        let begun = invocations * part;
        function.running += begun * (seconds / self.clock.step()).min(1.0);
        function.unfinished.add(begun, steps);
        part
    }

    /// The part of a stage's orders that gets capacity of its table and topic.
    fn effect(&mut self, number: usize, orders: f64, step: u64) -> f64 {
        let stage = &self.flow.stages[number];
        let mut part: f64 = 1.0;
        if stage.publishes > 0 {
            part = part.min(self.sns.part(orders, step));
        }
        if let Some(table) = self.table_of[number] {
            let (_, table) = &mut self.tables[table];
            part = part.min(table.capacity.part(orders * self.units[number], step));
        }
        if let (Some(counter), Some(shared)) = (stage.counter, &mut self.counters[number]) {
            let share = counter_share(counter, self.settings);
            let of_the_hot = shared.part(orders * share * crate::durations::TRANSACTION_UNITS, step);
            part = part.min(1.0 - share * (1.0 - of_the_hot));
        }
        part
    }

    fn open_sockets(&mut self, accepted: f64, step: u64) {
        let wanted = accepted / self.settings[Key::OrdersPerSocket];
        let opened = self.sockets.grant(wanted, step);
        let opened = self.api.grant(opened, step);
        self.callbacks.wanted_sockets += wanted;
        self.callbacks.sockets += opened;
    }

    /// Serves the queues in the order of the flow. Messages after this step's decisions enter in the next.
    fn serve_queues(&mut self, step: u64) {
        for source in 0..self.sources.len() {
            let stages = std::mem::take(&mut self.sources[source].stages);
            for number in &stages {
                let total = match self.flow.stages[*number].after {
                    After::Nothing => 0.0,
                    // Accepted requests, or messages that succeeded or failed all deliveries.
                    After::Stage(before) => self.result.stages[before].passed,
                    After::Deadline(before) => self.past_deadline(self.result.stages[before].passed),
                    After::Decision => self.result.finished,
                };
                self.result.stages[*number].enter_up_to(total);
            }
            self.serve(source, &stages, step);
            self.sources[source].stages = stages;
        }
    }

    /// Records the orders placed so far. Returns those past their deadline.
    fn past_deadline(&mut self, placed: f64) -> f64 {
        self.placed.push_back(placed);
        let is_full = self.clock.time(self.placed.len() as u64) > self.settings[Key::OrderDeadlineSeconds];
        if is_full { self.placed.pop_front().unwrap_or(0.0) } else { 0.0 }
    }

    fn serve(&mut self, source: usize, stages: &[usize], step: u64) {
        let sum =
            |of: fn(&StageMessages) -> f64| stages.iter().map(|number| of(&self.result.stages[*number])).sum::<f64>();
        let (ready, waiting) = (sum(StageMessages::ready), sum(StageMessages::waiting));
        let calls_back = stages.iter().any(|number| self.flow.stages[*number].calls_back);
        let wait = if calls_back { self.callbacks.wait } else { 0.0 };
        let take = self.sources[source].take(ready, waiting, wait, step);
        let function = self.function_of[stages[0]].expect("a test finds the function of each queue");
        let invoked = self.invoke(function, take.invocations, take.seconds, false, step);
        let part = if ready > 0.0 { take.messages * invoked / ready } else { 0.0 };
        for number in stages.iter().copied() {
            let delivered = self.result.stages[number].ready() * part;
            let success = self.effect(number, delivered, step);
            let messages = &mut self.result.stages[number];
            if delivered > 0.0 {
                let invocations = take.invocations * delivered / take.messages;
                messages.invocations += invocations;
                messages.busy_seconds += invocations * take.seconds;
                messages.deliver(part, success, &self.policy);
            }
        }
    }

    /// Finishes orders with their last vote or at the deadline.
    fn decide(&mut self) {
        let result = &mut self.result;
        let passed = |number: &usize| result.stages[*number].passed;
        let voted = self.flow.decided_by.iter().map(passed).fold(f64::INFINITY, f64::min);
        let in_time = result.finished.max(voted);
        let deadline = self.flow.stages.iter().position(|stage| matches!(stage.after, After::Deadline(_)));
        let at_deadline = deadline.map_or(0.0, |number| result.stages[number].passed);
        let finished = in_time.max(at_deadline);
        result.too_late += finished - in_time;
        result.finished = finished;
    }

    /// Returns the orders with an outcome that the client knows.
    fn call_back(&mut self, finished: f64, step: u64) -> f64 {
        let callbacks = &mut self.callbacks;
        let with_socket =
            if callbacks.wanted_sockets > 0.0 { callbacks.sockets / callbacks.wanted_sockets } else { 1.0 };
        self.result.not_called_back += finished * (1.0 - with_socket);
        callbacks.pool += finished * with_socket;
        callbacks.entered += finished * with_socket;
        let sent = self.api.grant(callbacks.pool, step);
        callbacks.pool -= sent;
        callbacks.gone += sent;
        self.result.callbacks += sent;
        let overdue = (callbacks.remember(self.clock) - callbacks.gone).clamp(0.0, callbacks.pool);
        callbacks.pool -= overdue;
        callbacks.gone += overdue;
        self.result.not_called_back += overdue;
        let rate = sent / self.clock.step();
        callbacks.wait =
            if callbacks.pool < 1e-6 { 0.0 } else { CALLBACK_TIMEOUT.min(callbacks.pool / rate.max(1e-6)) };
        self.result.finished - callbacks.pool
    }

    /// Returns the orders with an outcome that the client knows.
    fn poll(&mut self, accepted: f64, step: u64) -> f64 {
        self.polls.asking += accepted;
        let want = self.polls.asking / self.settings[Key::PollSeconds] * self.clock.step();
        let through = self.status_method.grant(want, step);
        let through = self.api.grant(through, step);
        let seconds = (self.settings[Key::OverheadMs] + self.settings[Key::DatabaseMs]) / 1e3;
        let answered = through * self.invoke(self.status_service, through, seconds, false, step);
        self.result.polls += answered;
        let finished_polls = if self.polls.asking > 0.0 {
            answered * ((self.result.finished - self.polls.known) / self.polls.asking).clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.polls.asking -= finished_polls;
        self.polls.known += finished_polls;
        self.polls.known
    }

    fn record(&mut self, step: u64, known: f64) {
        if !(step + 1).is_multiple_of(self.clock.steps(1)) {
            return;
        }
        let result = &mut self.result;
        result.seconds.push(Second {
            arrived: result.arrived,
            refused: result.refused.total(),
            accepted: result.accepted,
            finished: result.finished,
            known,
            concurrency: self.functions.iter().map(|function| function.running).sum(),
        });
    }

    /// Whether no order and no client waits for an outcome.
    fn is_idle(&self, confirm: Option<Confirm>) -> bool {
        let asking = if confirm == Some(Confirm::Poll) { self.polls.asking } else { self.callbacks.pool };
        self.result.accepted - self.result.finished < HALF_AN_ORDER && asking < HALF_AN_ORDER
    }

    fn finish(mut self) -> Simulation {
        self.begin(0);
        let is_on_the_way =
            |number: &usize| !matches!(self.flow.stages[*number].after, After::Decision | After::Deadline(_));
        let failed: f64 =
            (0..self.flow.stages.len()).filter(is_on_the_way).map(|number| self.result.stages[number].failed).sum();
        self.result.failed = failed.min(self.result.finished - self.result.too_late);
        let done = self.result.finished - self.result.too_late - self.result.failed;
        self.result.without_a_day = self.places().map_or(0.0, |places| (done - places).max(0.0));
        self.result.concurrency = self.functions.iter().map(|function| (function.name, function.most)).collect();
        self.result.write_units = self.tables.iter().map(|(name, table)| (*name, table.capacity.most)).collect();
        self.result.bounds = self.bounds();
        self.result
    }

    /// Shipments on the days that the orders can book; `None` in a lane without shipments.
    #[expect(clippy::cast_precision_loss, reason = "at most a few days")]
    fn places(&self) -> Option<f64> {
        let books = self.flow.stages.iter().any(|stage| stage.counter == Some(Counter::Day));
        let days = self.settings[Key::ShipmentHorizonDays] + (self.result.seconds.len() / 86_400) as f64;
        books.then_some(self.settings[Key::ShipmentsPerDay] * days)
    }

    /// In order of time.
    fn bounds(&self) -> Vec<Bound> {
        let settings = self.settings;
        let is_sync = self.lane.answer == Answer::Outcome;
        let mut bounds = vec![
            (if is_sync { Key::SyncRateLimit } else { Key::ApiRateLimit }, String::new(), self.method.watch),
            (Key::ApiRateLimit, "status service".to_owned(), self.status_method.watch),
            (Key::ApiRequestsPerSecond, String::new(), self.api.watch),
            (Key::WebSocketConnectionsPerSecond, String::new(), self.sockets.watch),
            (Key::ReservedConcurrentExecutions, String::new(), self.reserved),
            (Key::LambdaConcurrency, String::new(), self.account.watch),
            (Key::SnsPublishesPerSecond, String::new(), self.sns.watch),
        ];
        for function in &self.functions {
            bounds.push((Key::LambdaScalingPerTenSeconds, function.name.to_owned(), function.environments.watch));
        }
        let most =
            if settings[Key::ProvisionedPollers] > 0.0 { Key::ProvisionedPollers } else { Key::MaximumConcurrency };
        for source in &self.sources {
            let queue = format!("queue {}", source.queue);
            bounds.push((most, queue.clone(), source.at_most));
            bounds.push((Key::BatchesAddedPerMinute, queue.clone(), source.growing));
            bounds.push((Key::InFlightMessages, queue, source.in_flight_full));
        }
        for (name, table) in &self.tables {
            bounds.push((
                table_key(settings, table.capacity.per_second),
                format!("table {name}"),
                table.capacity.watch,
            ));
        }
        for (stage, counter) in self.flow.stages.iter().zip(&self.counters) {
            if let Some(counter) = counter {
                bounds.push((Key::ItemWriteUnits, format!("{}: one item", stage.name), counter.watch));
            }
        }
        bounds.sort_by_key(|(.., watch)| watch.first);
        let bound = |(key, at, watch): (Key, String, Watch)| {
            let first_second = watch.first? / self.clock.steps(1);
            Some(Bound { setting: key.setting().name, at, first_second, seconds: self.clock.time(watch.steps) })
        };
        bounds.into_iter().filter_map(bound).collect()
    }
}

/// The setting that limits a table with that many write units per second.
pub(crate) fn table_key(settings: &PlanSettings, per_second: f64) -> Key {
    if per_second >= settings[Key::TableWriteUnits] {
        Key::TableWriteUnits
    } else if settings[Key::ProvisionedWriteUnits] > 0.0 {
        Key::ProvisionedWriteUnits
    } else {
        Key::WarmWriteUnits
    }
}

impl Callbacks {
    fn new() -> Self {
        Self {
            pool: 0.0,
            entered: 0.0,
            gone: 0.0,
            wanted_sockets: 0.0,
            sockets: 0.0,
            wait: 0.0,
            history: VecDeque::new(),
        }
    }

    /// Records `entered`, and returns it as of [`CALLBACK_TIMEOUT`] ago: callbacks up to there have timed out.
    fn remember(&mut self, clock: Clock) -> f64 {
        self.history.push_back(self.entered);
        if clock.time(self.history.len() as u64) > CALLBACK_TIMEOUT {
            self.history.pop_front().unwrap_or(0.0)
        } else {
            0.0
        }
    }
}

impl Simulation {
    fn new(stages: usize) -> Self {
        Self {
            arrived: 0.0,
            refused: Refusals::default(),
            accepted: 0.0,
            finished: 0.0,
            failed: 0.0,
            too_late: 0.0,
            without_a_day: 0.0,
            not_called_back: 0.0,
            callbacks: 0.0,
            polls: 0.0,
            stages: (0..stages).map(|_| StageMessages::default()).collect(),
            seconds: Vec::new(),
            concurrency: Vec::new(),
            write_units: Vec::new(),
            bounds: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitTable;
    use crate::load::RateProfile;

    #[test]
    fn the_steps_of_a_day_are_bounded_at_any_rate() {
        const DAY: f64 = 86_400.0;
        let settings = PlanSettings::new(&LimitTable::embedded());

        for rate in [10.0, 10_000.0, 1e6] {
            let load = Load::new(RateProfile::Day, rate, 5.0, DAY).expect("it is a load");
            for lane in &lanes::LANES {
                let simulation = simulate(lane, &load, &settings, Confirm::Callback);

                // One step a second, until twelve hours after the load at the latest.
                let steps = simulation.seconds.len() as u64 * clock(DAY).steps(1);
                assert!((86_400..=129_601).contains(&steps), "{} at {rate}/s: {steps}", lane.name);
            }
        }
    }
}
