//! Malformed order ids.

use super::{Case, Record, Request, case, get, put};
use testkit::hostile_values::{malformed_order_ids, order_ids_that_are_not_text};

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut of = |what: &str, record: Record, hostile: fn(&str) -> Vec<String>| {
        for at in 0..hostile("").len() {
            let shown = format!("{:.40}", hostile("ID")[at]);
            let about = |place: &'static str, request: Request| {
                let request = request.to(move |id| format!("{place}/{}", hostile(id)[at]));
                Case { record, ..case(format!("{place}, {what} {shown}"), request) }
            };
            cases.extend([
                about("sync/orders", put("sync")),
                about("async/orders", put("async")),
                about("orders", get()),
            ]);
        }
    };
    of("the malformed id", Record::None, malformed_order_ids);
    of("the id that is not text", Record::None, |id| order_ids_that_are_not_text(id).to_vec());
    of("the id", Record::None, |id| {
        vec!["order-1".to_owned(), format!("+{id}"), "%20".to_owned(), format!("{id}%26%3D%25%2B")]
    });
    of("the id with an encoded hyphen", Record::Perhaps, |id| vec![id.replacen('-', "%2D", 1)]);
    cases
}
