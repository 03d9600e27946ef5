//! `make demo`: the command line on a local stack, with all settings from the environment.

use testkit::{
    api_client::LANES,
    command_line::{command, twolane},
    stack::OWNER,
    tokens::{subject_of, token},
};

/// As `make demo` sets demo's.
const ACCOUNTS: [(&str, &str); 8] = [
    ("EUR", "50000.00"),
    ("USD", "10000.00"),
    ("JPY", "100000"),
    ("GBP", "5000.00"),
    ("CHF", "5000.00"),
    ("BHD", "5000.000"),
    ("INR", "50000.00"),
    ("SEK", "1000.00"),
];

#[tokio::test]
async fn the_sample_orders_go_down_every_lane() {
    twolane(&["stock", "load", "samples/stock.csv"]).await;
    for (currency, amount) in ACCOUNTS {
        twolane(&["account", "set", &subject_of(OWNER), currency, amount]).await;
    }
    for lane in LANES {
        // The accounts belong to OWNER, so the command line needs OWNER's token.
        let mut order = command(&["order", "--lane", lane, "--file", "samples/orders.jsonl"]);
        let ran = order.env("TWOLANE_TOKEN", token(OWNER)).output().await.expect("twolane runs");
        let printed = String::from_utf8_lossy(&ran.stdout);

        let expected = match lane {
            "bus" => "13 orders: 10 confirmed, 2 cancelled, 1 rejected",
            _ => "13 orders: 12 confirmed, 1 rejected",
        };
        assert!(printed.contains(expected), "{printed}\n{}", String::from_utf8_lossy(&ran.stderr));
    }
}
