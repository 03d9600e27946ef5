//! The stages of an order in each lane: one row for each message or request. Source: `docs/architecture.md`, the walks
//! of one order. A test compares their sums with `crates/lanes`.

use lanes::Lane;

#[derive(Debug)]
pub(crate) struct Flow {
    lane: &'static str,
    /// Each after those that it waits for. The first is the request.
    pub(crate) stages: &'static [Stage],
    /// Stages that must all end before the decision.
    pub(crate) decided_by: &'static [usize],
}

/// One message or request of an order, and the work for it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// `None` for the request.
    pub(crate) queue: Option<&'static str>,
    /// `None` if the API needs none.
    pub(crate) function: Option<&'static str>,
    pub(crate) after: After,
    pub(crate) table: &'static str,
    /// Of the order's own record.
    pub(crate) record_writes: u64,
    /// Other single writes, of up to 1 KB.
    pub(crate) small_writes: u64,
    /// Of up to 1 KB each.
    pub(crate) transaction_items: u64,
    /// More items for each SKU of the order.
    pub(crate) items_per_sku: u64,
    /// Sequential requests to the database.
    pub(crate) database_requests: u64,
    /// Messages that it publishes.
    pub(crate) publishes: u64,
    /// Whether it sends the outcome to sockets.
    pub(crate) calls_back: bool,
    /// Shared item that its transaction changes.
    pub(crate) counter: Option<Counter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The request itself.
    Nothing,
    /// With this number.
    Stage(usize),
    /// `OrderDeadlineSeconds` after this stage.
    Deadline(usize),
    Decision,
}

/// An item that many orders' transactions change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// A SKU's units.
    Sku,
    /// An owner's balance.
    Owner,
    /// One day's shipments, which every order changes.
    Day,
}

const STAGE: Stage = Stage {
    name: "",
    queue: None,
    function: None,
    after: After::Nothing,
    table: "orders",
    record_writes: 0,
    small_writes: 0,
    transaction_items: 0,
    items_per_sku: 0,
    database_requests: 0,
    publishes: 0,
    calls_back: false,
    counter: None,
};

static FLOWS: [Flow; 3] = [
    Flow {
        lane: "sync",
        stages: &[Stage {
            name: "store the order",
            function: Some("create-order"),
            record_writes: 1,
            database_requests: 1,
            ..STAGE
        }],
        decided_by: &[0],
    },
    Flow {
        lane: "async",
        stages: &[
            Stage { name: "queue the order", ..STAGE },
            Stage {
                name: "store the order",
                queue: Some("orders"),
                function: Some("process-orders"),
                after: After::Stage(0),
                record_writes: 1,
                // The write, and the look-up of the owner's sockets.
                database_requests: 2,
                calls_back: true,
                ..STAGE
            },
        ],
        decided_by: &[1],
    },
    Flow {
        lane: "bus",
        stages: &[
            Stage { name: "publish the order", function: Some("publish-order"), publishes: 1, ..STAGE },
            Stage {
                name: "place the order",
                queue: Some("submissions"),
                function: Some("settle-order"),
                after: After::Stage(0),
                record_writes: 1,
                database_requests: 1,
                publishes: 1,
                ..STAGE
            },
            Stage {
                transaction_items: 1,
                items_per_sku: 1,
                ..hold("hold stock", "stock", "reserve-stock", Counter::Sku)
            },
            hold("hold money", "payment", "authorize-payment", Counter::Owner),
            hold("hold a shipment", "shipment", "book-shipment", Counter::Day),
            vote("count stock's vote", 2),
            vote("count payment's vote", 3),
            // Its first write fails, because it is not one of the first two votes. Then it decides the order, publishes
            // the decision, and looks up the owner's sockets.
            Stage {
                record_writes: 2,
                database_requests: 3,
                publishes: 1,
                calls_back: true,
                ..vote("count the last vote", 4)
            },
            confirm("make stock final", "stock", "reserve-stock"),
            confirm("make money final", "payment", "authorize-payment"),
            confirm("make the shipment final", "shipment", "book-shipment"),
            Stage {
                name: "meet the deadline",
                queue: Some("deadline"),
                function: Some("settle-order"),
                after: After::Deadline(1),
                record_writes: 1,
                database_requests: 1,
                ..STAGE
            },
        ],
        decided_by: &[5, 6, 7],
    },
];

const fn hold(name: &'static str, queue: &'static str, function: &'static str, counter: Counter) -> Stage {
    Stage {
        name,
        queue: Some(queue),
        function: Some(function),
        after: After::Stage(1),
        table: queue,
        transaction_items: 2,
        database_requests: 1,
        publishes: 1,
        counter: Some(counter),
        ..STAGE
    }
}

const fn vote(name: &'static str, hold: usize) -> Stage {
    Stage {
        name,
        queue: Some("outcomes"),
        function: Some("settle-order"),
        after: After::Stage(hold),
        record_writes: 1,
        database_requests: 1,
        ..STAGE
    }
}

const fn confirm(name: &'static str, queue: &'static str, function: &'static str) -> Stage {
    Stage {
        name,
        queue: Some(queue),
        function: Some(function),
        after: After::Decision,
        table: queue,
        small_writes: 1,
        database_requests: 1,
        ..STAGE
    }
}

pub(crate) fn flow(lane: Lane) -> &'static Flow {
    FLOWS.iter().find(|flow| flow.lane == lane.name).expect("a test finds the flow of each lane")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanes::LANES;

    #[test]
    fn each_flow_has_the_usage_of_its_lane() {
        for lane in &LANES {
            let stages = flow(lane).stages;
            let sum = |of: fn(&Stage) -> u64| stages.iter().map(of).sum::<u64>();

            assert_eq!(sum(|stage| stage.publishes), lane.usage.publishes, "{}", lane.name);
            assert_eq!(sum(|stage| u64::from(stage.queue.is_some())), lane.usage.messages, "{}", lane.name);
            assert_eq!(sum(|stage| stage.record_writes), lane.usage.record_writes, "{}", lane.name);
            assert_eq!(sum(|stage| stage.small_writes), lane.usage.small_writes, "{}", lane.name);
            assert_eq!(sum(|stage| stage.transaction_items), lane.usage.transaction_items, "{}", lane.name);
            assert_eq!(sum(|stage| stage.items_per_sku), lane.usage.transaction_items_per_sku, "{}", lane.name);
            assert_eq!(stages.iter().any(|stage| stage.calls_back), lane.has_callback, "{}", lane.name);
        }
    }

    #[test]
    fn each_queue_and_function_of_a_lane_has_a_stage() {
        for lane in &LANES {
            let stages = flow(lane).stages;
            for queue in lane.queues {
                assert!(stages.iter().any(|stage| stage.queue == Some(queue.name)), "{}", queue.name);
            }
            for function in lane.functions {
                assert!(stages.iter().any(|stage| stage.function == Some(function.name)), "{}", function.name);
            }
            for (index, stage) in stages.iter().enumerate() {
                assert!(
                    stage.queue.is_none_or(|name| lane.queues.iter().any(|queue| queue.name == name)),
                    "{}",
                    stage.name
                );
                let before = match stage.after {
                    After::Stage(before) | After::Deadline(before) => Some(before),
                    After::Nothing | After::Decision => None,
                };
                assert!(before.is_none_or(|before| before < index), "{}", stage.name);
            }
        }
    }
}
