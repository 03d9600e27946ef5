//! A queue's event source mapping: its concurrent batches, and their size.

use crate::durations::BatchDuration;
use crate::resource::{Clock, Watch};
use crate::settings::{Key, PlanSettings};

/// A queue counts as limited if its messages wait longer, in seconds.
const HELD_UP: f64 = 1.0;

#[derive(Debug)]
pub(crate) struct EventSource {
    pub(crate) queue: &'static str,
    /// Numbers of the stages that wait in the queue.
    pub(crate) stages: Vec<usize>,
    duration: BatchDuration,
    step: f64,
    batch_size: f64,
    window: f64,
    /// Between two batches of one poller, in seconds: an environment has a highest rate of invocations.
    shortest: f64,
    /// Concurrent batches: now, at most, and added in a step.
    batches: f64,
    most: f64,
    added: f64,
    in_flight: f64,
    /// When messages waited for `most`, for the growth of the batches, and for the queue's in-flight limit.
    pub(crate) at_most: Watch,
    pub(crate) growing: Watch,
    pub(crate) in_flight_full: Watch,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Take {
    pub(crate) messages: f64,
    pub(crate) invocations: f64,
    /// Of each, in seconds.
    pub(crate) seconds: f64,
}

impl EventSource {
    pub(crate) fn new(
        queue: &'static str,
        stages: Vec<usize>,
        duration: BatchDuration,
        settings: &PlanSettings,
        clock: Clock,
    ) -> Self {
        let most = batches_at_most(settings);
        let provisioned = settings[Key::ProvisionedPollers] > 0.0;
        Self {
            queue,
            stages,
            duration,
            step: clock.step(),
            batch_size: settings[Key::BatchSize],
            window: settings[Key::MaximumBatchingWindowInSeconds],
            shortest: 1.0 / settings[Key::RequestsPerEnvironment],
            batches: if provisioned { most } else { settings[Key::BatchesAtFirst].min(most) },
            most,
            added: settings[Key::BatchesAddedPerMinute] / 60.0 * clock.step(),
            in_flight: settings[Key::InFlightMessages],
            at_most: Watch::default(),
            growing: Watch::default(),
            in_flight_full: Watch::default(),
        }
    }

    /// Receives ready messages. `waiting` messages are already in flight, and callbacks extend each batch by
    /// `callback_wait` seconds.
    pub(crate) fn take(&mut self, ready: f64, waiting: f64, callback_wait: f64, step: u64) -> Take {
        if ready <= 0.0 {
            return Take::default();
        }
        let full = (self.duration.of(self.batch_size) + callback_wait).max(self.shortest);
        let capacity = self.batches * self.batch_size / full * self.step;
        // A message is in flight for the duration of its batch.
        let room = (self.in_flight - waiting).max(0.0) / full * self.step;
        if room < ready.min(capacity) {
            self.in_flight_full.note(step);
        }
        let messages = ready.min(capacity).min(room);
        if ready > capacity {
            let is_growing = self.batches < self.most;
            if (ready - capacity) / capacity * self.step > HELD_UP {
                if is_growing { self.growing.note(step) } else { self.at_most.note(step) }
            }
            self.batches = (self.batches + self.added).min(self.most);
            return Take {
                messages,
                invocations: messages / self.batch_size,
                seconds: self.duration.of(self.batch_size) + callback_wait,
            };
        }
        let size = self.batch_at(messages / self.step, callback_wait);
        Take { messages, invocations: messages / size, seconds: self.duration.of(size) + callback_wait }
    }

    /// Messages in a batch at `rate` messages per second if none wait: those that arrive while a poller is busy,
    /// or during the batching window.
    fn batch_at(&self, rate: f64, callback_wait: f64) -> f64 {
        let per_poller = rate / self.batches;
        // size = per_poller × (first + (size − 1) × further)
        let growth = 1.0 - per_poller * self.duration.further;
        let size = if growth > 0.0 {
            per_poller * (self.duration.first + callback_wait - self.duration.further) / growth
        } else {
            self.batch_size
        };
        size.max(per_poller * self.shortest).max(rate * self.window).clamp(1.0, self.batch_size)
    }
}

pub(crate) fn batches_at_most(settings: &PlanSettings) -> f64 {
    let provisioned = settings[Key::ProvisionedPollers];
    if provisioned > 0.0 {
        provisioned * settings[Key::BatchesPerProvisionedPoller]
    } else {
        settings[Key::MaximumConcurrency].min(settings[Key::BatchesAtMost])
    }
}
