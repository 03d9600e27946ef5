//! Everything stops at once and starts again: API, queue, functions, database and sockets.

use crate::{
    Load,
    figures::{Figures, say},
    local_cloud,
    test_bed::TestBed,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use reqwest::{Method, header::CONTENT_TYPE};
use std::{cell::Cell, time::Duration};
use testkit::{
    api_client::try_send,
    eventually::eventually,
    order_bodies::{new_id, order_of},
    socket::Socket,
};
use tokio::time::interval;

const ARRIVALS_PER_SECOND: u32 = 30;

/// Orders acknowledged before the first restart, between two, and after the last.
const BETWEEN: usize = 90;

/// Most orders under way.
const AT_ONCE: usize = 100;

/// For an acknowledgement with repeats, and for all outcomes after one restart.
const DEADLINE: Duration = Duration::from_mins(2);

/// For all outcomes after several restarts, which may fail four deliveries of a message: the longest back-off then, and
/// a minute. Source: `template.yaml`, `BackoffBaseSeconds`.
const LONG_DEADLINE: Duration = Duration::from_mins(9);

pub(crate) async fn no_order_is_lost_or_written_twice_when_everything_restarts(bed: &TestBed, load: Load) -> Figures {
    let restarts = load.pick(1, 5);
    let (mark, mut ids, mut repeats) = (bed.endpoint.mark(), Vec::new(), 0);
    let (acknowledged, coming) = (Cell::new(0), Cell::new(true));
    let restarting = async {
        for restart in 1..=restarts {
            more_orders(&acknowledged).await;
            local_cloud::restart().await;
            say(&format!("restart {restart} of {restarts}"));
        }
        more_orders(&acknowledged).await;
        coming.set(false);
    };
    let placing = async {
        let mut arrival = interval(Duration::from_secs(1) / ARRIVALS_PER_SECOND);
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = arrival.tick(), if coming.get() && under_way.len() < AT_ONCE => under_way.push(place(bed)),
                Some((id, repeated)) = under_way.next() => {
                    ids.push(id);
                    acknowledged.set(ids.len());
                    repeats += repeated;
                }
                else => break,
            }
        }
    };
    tokio::join!(restarting, placing);
    assert!(repeats > 0, "clients must have sent requests while the stack was down");

    bed.all_are_confirmed(&ids, load.pick(DEADLINE, LONG_DEADLINE)).await;
    bed.queue_is_empty(DEADLINE).await;
    for id in &ids {
        // A database that stops between a write and its answer has stored the order. Then the next attempt's condition
        // fails (400), and no attempt is answered with 200.
        let answers = bed.endpoint.answers(mark, id, "CONFIRMED");
        let taken = answers.iter().filter(|answered| **answered == Some(200)).count();
        let met = answers.iter().skip_while(|answered| answered.is_some()).any(|answered| *answered == Some(400));
        assert!(taken == 1 || taken == 0 && met, "{id} must have been written once: {answers:?}");
    }
    // The restart closed all sockets.
    let mut socket = Socket::open_alone().await;
    for id in ids.iter().take(10) {
        assert_eq!(socket.subscribe(id).await["status"], "CONFIRMED");
    }
    socket.close().await;
    Figures::default()
        .with("restarts", restarts)
        .with("orders", ids.len())
        .with("requests repeated", repeats)
        .with("lost", 0)
        .with("written twice", 0)
}

async fn more_orders(acknowledged: &Cell<usize>) {
    let goal = acknowledged.get() + BETWEEN;
    eventually(DEADLINE, "more orders are acknowledged", async || (acknowledged.get() >= goal).then_some(())).await;
}

/// Queues one order, repeating the request until it is acknowledged. Returns its id and the number of repeats.
async fn place(bed: &TestBed) -> (String, usize) {
    let (id, mut repeated) = (new_id(), 0);
    eventually(DEADLINE, &format!("order {id} is acknowledged"), async || {
        let request = bed.api.request(Method::PUT, &format!("async/orders/{id}"));
        let request = request.header(CONTENT_TYPE, "application/json").body(order_of("SKU-1").to_string());
        match try_send(request).await {
            Ok(response) if response.status == 202 => Some(()),
            _ => {
                repeated += 1;
                None
            }
        }
    })
    .await;
    (id, repeated)
}
