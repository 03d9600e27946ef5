//! One order, sent down both lanes ten times at once.

use futures_util::future::join_all;
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    socket::Socket,
    stack::Stack,
};

/// In each lane.
const TIMES: usize = 10;

#[tokio::test]
async fn is_stored_once_and_confirmed_every_time_and_a_different_one_changes_nothing() {
    let (api, id, mut socket, stack) = (ApiClient::new(), new_id(), Socket::open().await, Stack::from_env().await);
    let order = order_of("SKU-1");

    let puts = (0..2 * TIMES).map(|index| api.put(["sync", "async"][index % 2], &id, &order));
    let responses = join_all(puts).await;

    let count = |status: u16| responses.iter().filter(|response| response.status == status).count();
    let (created, repeated, queued) = (count(201), count(200), count(202));
    assert_eq!((created + repeated, queued), (TIMES, TIMES), "{responses:?}");
    assert!(created <= 1, "{created} answers say that their request created the order");
    for _ in 0..TIMES {
        assert_eq!(socket.outcome(&id).await["type"], "order.confirmed");
    }
    let items = stack.items_with_order_id(&id).await;
    assert_eq!(items.len(), 1, "{items:?}");
    let lane = if created == 1 { "sync" } else { "async" };
    assert_eq!(items[0]["lane"].as_s().unwrap(), lane, "the record must name the lane that stored the order");
    let views = responses.iter().filter(|response| response.status != 202).map(|response| &response.body);
    let stored = api.get(&id).await.body;
    assert!(views.into_iter().all(|view| *view == stored), "all answers must show the stored order");

    let different = order_of("SKU-2");
    api.put("sync", &id, &different).await.problem(409);
    api.put("async", &id, &different).await;

    assert_eq!(socket.outcome(&id).await["type"], "order.rejected");
    assert_eq!(stack.items_with_order_id(&id).await, items);
}
