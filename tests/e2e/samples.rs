//! What `make demo` shows: the command line against a local stack, with nothing given but its environment.

use testkit::{api_client::LANES, command_line::twolane};

#[tokio::test]
async fn the_sample_orders_go_down_both_lanes() {
    for lane in LANES {
        let printed = twolane(&["order", "--lane", lane, "--file", "samples/orders.jsonl"]).await;

        assert!(printed.contains("11 orders: 10 confirmed, 1 rejected"), "{printed}");
    }
}
