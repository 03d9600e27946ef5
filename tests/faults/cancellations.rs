//! Which steps hold before an order is cancelled.

use crate::rig::Rig;
use fault_endpoint::{Call, Fault, Rule, When};
use hyper::StatusCode;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// How an order is cancelled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cancellation {
    /// The output with the name of the function that refuses the order.
    pub(crate) refusing: &'static str,
    /// Whether the other steps hold before the cancellation. Else it reaches them before they hold.
    pub(crate) others_hold: bool,
}

/// Makes sure of it for these orders, by id: what a step writes too early fails, and its message is redelivered.
pub(crate) fn arrange(rig: &Rig, cancellations: BTreeMap<String, Cancellation>) {
    // The steps that have held or have recorded the cancellation, by order.
    let ready = Mutex::new(BTreeMap::<String, BTreeSet<Arc<str>>>::new());
    let is_too_early = move |call: &Call| {
        let Some(cancellation) = cancellations.get(call.order_id()) else { return false };
        let mut ready = ready.lock().unwrap();
        let ready = ready.entry(call.order_id().to_owned()).or_default();
        // A step votes when its hold is written.
        if call.writes("UNDONE") || call.event.as_ref().is_some_and(|event| event.ends_with(".held")) {
            ready.insert(Arc::clone(&call.caller));
        }
        if cancellation.others_hold {
            call.writes("REFUSED") && ready.len() < 2
        } else {
            call.transacts("HELD") && *call.caller != *cancellation.refusing && !ready.contains(&call.caller)
        }
    };
    let fault = Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
    rig.endpoint.inject(Rule::new(is_too_early, When::Always, fault));
}
