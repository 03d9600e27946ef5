//! Orders that are placed, repeated, contradicted and read.

use super::{Case, case, get, put};
use testkit::{
    api_client::LANES,
    order_bodies::{order_in_unknown_currency, order_of},
};

pub(super) fn all() -> Vec<Case> {
    let mut cases = vec![case("an unknown order, asked for", get())];
    for lane in LANES {
        let after = |name: &str, request| Case { before: vec![put(lane)], ..case(format!("{lane}, {name}"), request) };
        cases.extend([
            case(format!("{lane}, a new order"), put(lane)),
            after("the same order again", put(lane)),
            after("the same order again, its id in capital letters", put(lane).to(capitals(lane))),
            after("another order of the same id", put(lane).body(order_of("SKU-2").to_string())),
            after("an order, asked for", get()),
            case(format!("{lane}, an unknown currency"), put(lane).body(order_in_unknown_currency().to_string())),
            case(format!("{lane}, a new order, its id in capital letters"), put(lane).to(capitals(lane))),
        ]);
    }
    cases
}

fn capitals(lane: &'static str) -> impl Fn(&str) -> String {
    move |id| format!("{lane}/orders/{}", id.to_uppercase())
}
