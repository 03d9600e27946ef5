//! The lanes of a stack: one row per lane.
//!
//! Every difference between lanes is a field of [`LaneSpec`]: see `docs/decisions/0025-lanes-as-data.md`.

/// A row of the table.
pub type Lane = &'static LaneSpec;

/// One lane.
#[derive(Debug, PartialEq, Eq)]
pub struct LaneSpec {
    /// In URLs, records, reports and on the command line. Lower-case ASCII letters.
    pub name: &'static str,
    /// The path of an order and what the API answers, for `--help`.
    pub summary: &'static str,
    /// Path of the lane's orders under the API's URL; the order id follows it.
    pub path: &'static str,
    /// HTTP statuses of the answer to an accepted order.
    pub accepted: &'static [u16],
    /// What that answer contains.
    pub answer: Answer,
    /// The functions that an order passes through, in order.
    pub functions: &'static [FunctionSpec],
    /// The queues that an order waits in, in order.
    pub queues: &'static [QueueSpec],
    /// The services that vote on an order. Empty if one write settles it.
    pub steps: &'static [StepSpec],
    /// Whether the WebSocket API sends the outcome to the order's owner.
    pub has_callback: bool,
    /// AWS usage of an order, for costs. A repeat during the votes has the same: the steps see it again.
    pub usage: OrderUsage,
    /// AWS usage of a repeat after the decision.
    pub late_repeat: OrderUsage,
    /// Writes per order, with repeats, that change its entry in the index of orders by owner. Each costs one more write
    /// unit: an entry is below 1 KB. Source: Amazon DynamoDB Developer Guide, "Using Global Secondary Indexes in
    /// DynamoDB", provisioned throughput.
    pub index_writes: u64,
    /// The lane's colour in charts.
    pub colours: Colours,
}

/// What an accepted order's answer contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The stored order: its outcome.
    Outcome,
    /// A receipt. The outcome comes later.
    Receipt,
}

/// A function of the stack.
#[derive(Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Name of its folder in `functions/`.
    pub name: &'static str,
    /// The stack output with its deployed name.
    pub output: &'static str,
    /// What invokes it.
    pub invoked_by: Invoker,
    /// Whether it writes to a table.
    pub has_table: bool,
    /// What reports call its concurrent invocations.
    pub instances: &'static str,
}

/// What invokes a function: this decides how many invocations orders take, and which control limits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invoker {
    /// Requests: one invocation each. Reserved concurrency limits them.
    Request,
    /// A queue: one invocation per batch of messages. The event source mapping limits them.
    Queue,
}

/// A queue of a lane.
#[derive(Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// What operators type: its step, if it leads to one. Lower-case ASCII letters.
    pub name: &'static str,
    /// Why messages wait in it.
    pub kind: QueueKind,
    /// What its messages are.
    pub messages: MessageKind,
    /// Whether its messages have a group: a fair queue.
    pub is_fair: bool,
    /// The stack output with its URL.
    pub url_output: &'static str,
    /// The stack output with its dead-letter queue's URL.
    pub dead_letter_url_output: &'static str,
}

/// Why messages wait in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// For a free function: the lane's backlog.
    Work,
    /// For a set time to pass: not part of the backlog, because no order waits for them.
    Timer,
}

/// What the messages of a queue are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Requests of the API: the body is the order, and message attributes name it.
    Request,
    /// Events of the bus: the body names the event and its order.
    Event,
}

/// A service that votes on an order.
#[derive(Debug, PartialEq, Eq)]
pub struct StepSpec {
    /// In the status service's answer, for example `stock`.
    pub name: &'static str,
    /// Name of its function.
    pub function: &'static str,
    /// The stack output with its table's name.
    pub table_output: &'static str,
}

/// AWS usage of one request for an order, besides API requests, invocations and callbacks. Source:
/// `docs/architecture.md`, the walk of one order down each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderUsage {
    /// Events published to topics.
    pub publishes: u64,
    /// Messages put into queues, by the API or by topics.
    pub messages: u64,
    /// Writes of the order's record, failed conditions included.
    pub record_writes: u64,
    /// Other single writes, of 1 KB at most.
    pub small_writes: u64,
    /// Items in transactions, of 1 KB at most.
    pub transaction_items: u64,
    /// Further such items for each SKU of the order.
    pub transaction_items_per_sku: u64,
}

/// A CSS colour, with a contrast of at least 3 : 1 to the page.
#[derive(Debug, PartialEq, Eq)]
pub struct Colours {
    /// On a light page.
    pub light: &'static str,
    /// On a dark page.
    pub dark: &'static str,
}

const ONE_WRITE: OrderUsage = OrderUsage {
    publishes: 0,
    messages: 0,
    record_writes: 1,
    small_writes: 0,
    transaction_items: 0,
    transaction_items_per_sku: 0,
};

/// All lanes, in the order of measurements and reports.
pub static LANES: [LaneSpec; 3] = [
    LaneSpec {
        name: "sync",
        summary: "API Gateway → Lambda → DynamoDB: the answer is the outcome",
        path: "sync/orders",
        accepted: &[200, 201],
        answer: Answer::Outcome,
        functions: &[FunctionSpec {
            name: "create-order",
            output: "CreateOrderFunctionName",
            invoked_by: Invoker::Request,
            has_table: true,
            instances: "functions",
        }],
        queues: &[],
        steps: &[],
        has_callback: false,
        usage: ONE_WRITE,
        late_repeat: ONE_WRITE,
        index_writes: 1,
        colours: Colours { light: "#1b5fb8", dark: "#7ab3ff" },
    },
    LaneSpec {
        name: "async",
        summary: "API Gateway → SQS → Lambda → DynamoDB: the answer is a receipt, a callback reports the outcome",
        path: "async/orders",
        accepted: &[202],
        answer: Answer::Receipt,
        functions: &[FunctionSpec {
            name: "process-orders",
            output: "ProcessOrdersFunctionName",
            invoked_by: Invoker::Queue,
            has_table: true,
            instances: "workers",
        }],
        queues: &[QueueSpec {
            name: "orders",
            kind: QueueKind::Work,
            messages: MessageKind::Request,
            is_fair: true,
            url_output: "OrdersQueueUrl",
            dead_letter_url_output: "DeadLetterQueueUrl",
        }],
        steps: &[],
        has_callback: true,
        usage: OrderUsage { messages: 1, ..ONE_WRITE },
        late_repeat: OrderUsage { messages: 1, ..ONE_WRITE },
        index_writes: 1,
        colours: Colours { light: "#b4500b", dark: "#ffa25c" },
    },
    LaneSpec {
        name: "bus",
        summary: "API Gateway → Lambda → SNS → SQS → Lambda → DynamoDB: the answer is a receipt, three services vote, \
                  a callback reports the outcome",
        path: "bus/orders",
        accepted: &[202],
        answer: Answer::Receipt,
        functions: &[
            FunctionSpec {
                name: "publish-order",
                output: "PublishOrderFunctionName",
                invoked_by: Invoker::Request,
                has_table: false,
                instances: "functions",
            },
            FunctionSpec {
                name: "settle-order",
                output: "SettleOrderFunctionName",
                invoked_by: Invoker::Queue,
                has_table: true,
                instances: "workers",
            },
            FunctionSpec {
                name: "reserve-stock",
                output: "ReserveStockFunctionName",
                invoked_by: Invoker::Queue,
                has_table: true,
                instances: "workers",
            },
            FunctionSpec {
                name: "authorize-payment",
                output: "AuthorizePaymentFunctionName",
                invoked_by: Invoker::Queue,
                has_table: true,
                instances: "workers",
            },
            FunctionSpec {
                name: "book-shipment",
                output: "BookShipmentFunctionName",
                invoked_by: Invoker::Queue,
                has_table: true,
                instances: "workers",
            },
        ],
        queues: &[
            QueueSpec {
                name: "submissions",
                kind: QueueKind::Work,
                messages: MessageKind::Event,
                is_fair: false,
                url_output: "SubmissionsQueueUrl",
                dead_letter_url_output: "SubmissionsDeadLetterQueueUrl",
            },
            QueueSpec {
                name: "stock",
                kind: QueueKind::Work,
                messages: MessageKind::Event,
                is_fair: false,
                url_output: "StockQueueUrl",
                dead_letter_url_output: "StockDeadLetterQueueUrl",
            },
            QueueSpec {
                name: "payment",
                kind: QueueKind::Work,
                messages: MessageKind::Event,
                is_fair: false,
                url_output: "PaymentsQueueUrl",
                dead_letter_url_output: "PaymentsDeadLetterQueueUrl",
            },
            QueueSpec {
                name: "shipment",
                kind: QueueKind::Work,
                messages: MessageKind::Event,
                is_fair: false,
                url_output: "ShipmentsQueueUrl",
                dead_letter_url_output: "ShipmentsDeadLetterQueueUrl",
            },
            QueueSpec {
                name: "outcomes",
                kind: QueueKind::Work,
                messages: MessageKind::Event,
                is_fair: false,
                url_output: "OutcomesQueueUrl",
                dead_letter_url_output: "OutcomesDeadLetterQueueUrl",
            },
            QueueSpec {
                name: "deadline",
                kind: QueueKind::Timer,
                messages: MessageKind::Event,
                is_fair: false,
                url_output: "DeadlineQueueUrl",
                dead_letter_url_output: "DeadlineDeadLetterQueueUrl",
            },
        ],
        steps: &[
            StepSpec { name: "stock", function: "reserve-stock", table_output: "StockTableName" },
            StepSpec { name: "payment", function: "authorize-payment", table_output: "PaymentsTableName" },
            StepSpec { name: "shipment", function: "book-shipment", table_output: "ShipmentsTableName" },
        ],
        has_callback: true,
        usage: OrderUsage {
            // Submitted, placed, three votes, the decision.
            publishes: 6,
            // Submitted to one queue, placed to three steps and the deadline, three votes, the decision to three steps.
            messages: 11,
            // Placed, three votes (the last takes two writes), and the deadline, which fails its condition.
            record_writes: 6,
            // Each step's hold becomes final.
            small_writes: 3,
            // Each step's hold, and the counters of the account and the day.
            transaction_items: 5,
            // The stock counter of each SKU.
            transaction_items_per_sku: 1,
        },
        // Submitted again: the write's condition fails, and no step sees it.
        late_repeat: OrderUsage { publishes: 1, messages: 1, ..ONE_WRITE },
        // Placed, and the decision: votes are not in the index.
        index_writes: 2,
        colours: Colours { light: "#00795a", dark: "#4fd1a5" },
    },
];

/// Reports the status of any lane's order.
pub static STATUS_SERVICE: FunctionSpec = FunctionSpec {
    name: "get-order",
    output: "GetOrderFunctionName",
    invoked_by: Invoker::Request,
    has_table: true,
    instances: "functions",
};

/// The lane with that name.
#[must_use]
pub fn lane(name: &str) -> Option<Lane> {
    LANES.iter().find(|lane| lane.name == name)
}

/// The names of all lanes.
pub fn names() -> impl Iterator<Item = &'static str> {
    LANES.iter().map(|lane| lane.name)
}

/// The queues of all lanes.
pub fn queues() -> impl Iterator<Item = &'static QueueSpec> {
    LANES.iter().flat_map(|lane| lane.queues)
}

impl LaneSpec {
    /// The outputs of a stack that belong to this lane.
    pub fn outputs(&self) -> impl Iterator<Item = &'static str> {
        let queues = self.queues.iter().flat_map(|queue| [queue.url_output, queue.dead_letter_url_output]);
        let tables = self.steps.iter().map(|step| step.table_output);
        self.functions.iter().map(|function| function.output).chain(queues).chain(tables)
    }

    /// Whether one of its queues is a fair queue, which costs more.
    #[must_use]
    pub fn has_fair_queue(&self) -> bool {
        self.queues.iter().any(|queue| queue.is_fair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TEMPLATE: &str = include_str!("../../../template.yaml");
    const OPENAPI: &str = include_str!("../../../infra/openapi.yaml");

    #[test]
    fn each_lane_has_its_own_name_and_is_found_by_it() {
        for row in &LANES {
            assert!(std::ptr::eq(lane(row.name).expect("it is in the table"), row), "{}", row.name);
            assert!(row.name.bytes().all(|letter| letter.is_ascii_lowercase()), "{}", row.name);
        }
        assert_eq!(lane("nowhere"), None);
    }

    #[test]
    fn the_stack_has_each_lane() {
        let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
        for lane in &LANES {
            assert!(OPENAPI.contains(&format!("  /{}/{{orderId}}:", lane.path)), "{}", lane.path);
            for output in lane.outputs() {
                assert!(TEMPLATE.contains(&format!("\n  {output}:\n")), "{output}");
            }
            for function in lane.functions {
                assert!(functions.join(function.name).is_dir(), "{}", function.name);
            }
        }
    }

    #[test]
    fn each_queue_has_its_own_name_and_each_step_is_a_function_of_its_lane() {
        let queues: Vec<_> = queues().map(|queue| queue.name).collect();
        for name in &queues {
            assert!(name.bytes().all(|letter| letter.is_ascii_lowercase()), "{name}");
            assert_eq!(queues.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        for lane in &LANES {
            let functions: Vec<_> = lane.functions.iter().map(|function| function.name).collect();
            assert!(lane.steps.iter().all(|step| functions.contains(&step.function)), "{}", lane.name);
            assert!(
                lane.steps.iter().all(|step| queues.contains(&step.name)),
                "{}: a step's queue has its name",
                lane.name
            );
        }
    }

    #[test]
    fn a_lane_that_answers_with_a_receipt_has_a_queue_and_a_callback() {
        for lane in LANES.iter().filter(|lane| lane.answer == Answer::Receipt) {
            assert!(lane.has_callback && !lane.queues.is_empty(), "{}", lane.name);
        }
    }
}
