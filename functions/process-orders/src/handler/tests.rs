//! No subscription misses an outcome, whenever it comes between receipt and notification.

use super::*;
use aws_sdk_apigatewaymanagement::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use lambda_runtime::Context;
use orders::{
    Connection, ConnectionId, ConnectionRepository, Lane, Order, OrderId, Owner, RepositoryError, Status, StoreOutcome,
    fakes::{self, InMemoryConnections, InMemoryOrders},
};
use orders_sqs::QueueSettings;
use orders_websocket::{WebSocketNotifier, WebSocketSender};
use serde_json::{Value, json};
use sqs_batch::{Backoff, BatchHandler};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// One order of each outcome, in one batch at its last delivery.
const CONFIRMED: &str = "5f0c1b0e-6a54-4a2e-9d0b-000000000001";
const REJECTED: &str = "5f0c1b0e-6a54-4a2e-9d0b-000000000002";
const FAILED: &str = "5f0c1b0e-6a54-4a2e-9d0b-000000000003";

/// What a client must read.
const OUTCOMES: [(&str, &str); 3] = [(CONFIRMED, "CONFIRMED"), (REJECTED, "REJECTED"), (FAILED, "FAILED")];

/// The worker's steps, and a client that connects and subscribes between two of them.
///
/// A step is the moment before or after a request of the worker to the database. The worker's other requests send
/// frames, after the look-up: a client that connects then reads the outcomes.
#[derive(Debug, Default)]
struct World {
    orders: InMemoryOrders,
    connections: InMemoryConnections,
    steps: Mutex<usize>,
    connects_at: usize,
    subscribes_at: usize,
    /// Ids and outcomes, from answers to `subscribe` and notifications, including repeats.
    read: Mutex<Vec<(String, String)>>,
}

impl World {
    /// The client connects or subscribes, if this is its step.
    async fn step(&self) {
        // Other orders of the batch take steps in between.
        tokio::task::yield_now().await;
        let step = {
            let mut steps = self.steps.lock().expect("no test panicked");
            *steps += 1;
            *steps - 1
        };
        if step == self.connects_at {
            let id = ConnectionId::parse("socket").expect("visible ASCII");
            let now = lambda_support::clock::now();
            let connection = Connection::open(owner(), id, now, now.plus(Duration::from_hours(1)));
            self.connections.add(&connection).await.expect("in memory");
        }
        if step == self.subscribes_at {
            for (id, _) in OUTCOMES {
                let found = self.orders.find(&owner(), &OrderId::parse(id).expect("a UUID")).await.expect("in memory");
                self.read
                    .lock()
                    .expect("no test panicked")
                    .extend(found.map(|order| (id.to_owned(), order.status().name().to_owned())));
            }
        }
    }
}

/// One step before and one after each request.
#[derive(Clone, Debug)]
struct Stepped(Arc<World>);

impl OrderRepository for Stepped {
    async fn store(&self, order: &Order) -> Result<StoreOutcome, RepositoryError> {
        self.0.step().await;
        let fails = order.id.to_string() == FAILED && order.status() == Status::Confirmed;
        let stored = if fails {
            Err(RepositoryError::Unavailable("no answer".into()))
        } else {
            self.0.orders.store(order).await
        };
        self.0.step().await;
        stored
    }

    async fn find(&self, owner: &Owner, id: &OrderId) -> Result<Option<Order>, RepositoryError> {
        self.0.orders.find(owner, id).await
    }
}

impl ConnectionRepository for Stepped {
    async fn add(&self, connection: &Connection) -> Result<(), RepositoryError> {
        self.0.connections.add(connection).await
    }

    async fn remove(&self, owner: &Owner, id: &ConnectionId) -> Result<(), RepositoryError> {
        self.0.connections.remove(owner, id).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Connection>, RepositoryError> {
        self.0.step().await;
        let connections = self.0.connections.list(owner).await;
        self.0.step().await;
        connections
    }
}

fn owner() -> Owner {
    fakes::owner("demo")
}

/// One socket, which reads every frame.
fn websocket_api(world: Arc<World>) -> Client {
    let http_client = infallible_client_fn(move |request| {
        let frame: Value = serde_json::from_slice(request.body().bytes().expect("in memory")).expect("a frame");
        let id = frame["orderId"].as_str().or(frame["order"]["orderId"].as_str()).expect("an order's frame");
        let outcome = frame["type"].as_str().and_then(|kind| kind.strip_prefix("order.")).expect("an outcome");
        world.read.lock().expect("no test panicked").push((id.to_owned(), outcome.to_uppercase()));
        http::Response::builder().status(200).body("{}").expect("a response")
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url("https://klmnopqrst.execute-api.eu-central-1.amazonaws.com/live")
        .http_client(http_client);
    Client::from_conf(config.build())
}

fn batch() -> SqsBatch {
    let records = [(CONFIRMED, json!(body())), (REJECTED, json!("not an order")), (FAILED, json!(body()))].map(
        |(order_id, body)| {
            json!({
                "messageId": order_id,
                "body": body,
                "attributes": {"ApproximateReceiveCount": "5"},
                "messageAttributes": {
                    "orderId": {"dataType": "String", "stringValue": order_id},
                    "owner": {"dataType": "String", "stringValue": owner().as_str()},
                },
            })
        },
    );
    serde_json::from_value(json!({ "Records": records })).expect("a batch")
}

fn body() -> &'static str {
    r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}"#
}

/// Handles the batch while a client connects and subscribes at these steps.
async fn handle(connects_at: usize, subscribes_at: usize) -> Arc<World> {
    let world = Arc::new(World { connects_at, subscribes_at, ..World::default() });
    let sender = WebSocketSender::new(websocket_api(Arc::clone(&world)), "https://api.example.com/live/orders");
    let repositories = Stepped(Arc::clone(&world));
    let handler = Handler {
        orders: repositories.clone(),
        worker: Worker {
            function: "process-orders",
            batches: BatchHandler::new(),
            notifier: WebSocketNotifier::new(repositories, sender, Duration::from_secs(5)),
            notifying: Duration::from_secs(5),
            queue: QueueSettings { lane: Lane::Async, max_receive_count: 5, max_age: None, backoff: Backoff::NONE },
        },
    };
    let mut context = Context::default();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(15);
    context.deadline = u64::try_from(deadline.as_millis()).expect("in range");

    world.step().await;
    let response = handler.handle(LambdaEvent::new(batch(), context)).await.expect("every record has an id");
    world.step().await;

    let failures: Vec<_> = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failures, [FAILED]);
    world
}

#[tokio::test]
async fn a_socket_that_subscribes_at_any_moment_reads_the_outcome() {
    let never = usize::MAX;
    let steps = *handle(never, never).await.steps.lock().expect("no test panicked");
    // Before and after: four writes, one look-up for all three orders, and the batch itself.
    assert_eq!(steps, 2 * (4 + 1 + 1));

    for subscribes_at in 0..steps {
        for connects_at in 0..=subscribes_at {
            let world = handle(connects_at, subscribes_at).await;

            let read = world.read.lock().expect("no test panicked");
            for (id, outcome) in OUTCOMES {
                let outcomes: Vec<_> = read.iter().filter(|(read, _)| read == id).map(|(_, outcome)| outcome).collect();
                assert!(
                    !outcomes.is_empty() && outcomes.iter().all(|read| *read == outcome),
                    "{id} is {outcome}, and a client that connected at step {connects_at} and subscribed at step \
                     {subscribes_at} of {steps} read {outcomes:?}"
                );
            }
        }
    }
}
