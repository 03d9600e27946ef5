//! Dropped frames, and how their owners catch up.

use crate::{listener::Listener, test_bed::TestBed};
use aws_sdk_lambda::types::LoggingConfig;
use serde_json::Value;
use std::collections::BTreeSet;
use testkit::{
    eventually::{DEADLINE, eventually},
    outputs::output,
    socket::Socket,
    stack::sdk_config,
};

/// A function's log. It drops a frame that a busy machine does not take within five seconds.
pub(crate) struct Drops {
    log: Vec<String>,
}

impl Drops {
    /// From the function with that output.
    pub(crate) async fn new(bed: &TestBed, function: &str) -> Self {
        let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk_config().await);
        let function = bed.lambda.get_function_configuration().function_name(output(function));
        let function = function.send().await.expect("its settings can be read");
        let group = function.logging_config().and_then(LoggingConfig::log_group).expect("it has a log group");
        let pages = logs.filter_log_events().log_group_name(group).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.expect("its log can be read");
        let events = pages.into_iter().flat_map(|page| page.events.unwrap_or_default());
        Self { log: events.filter_map(|event| event.message).collect() }
    }

    /// Requires a logged drop for each order that the listener misses, then subscribes to them, as clients do. Returns
    /// their number.
    pub(crate) async fn catch_up(&self, listener: &Listener, expected: &BTreeSet<String>) -> usize {
        let foreign: Vec<_> = listener.orders().difference(expected).cloned().collect();
        assert!(foreign.is_empty(), "{} must hear of no order of another owner: {foreign:?}", listener.owner);
        let drop = format!("Dropped a notification to connection {}", listener.connection_id);
        let drops = self.log.iter().filter(|line| line.contains(&drop)).count();
        let what = format!("{} misses only the {drops} frames that were dropped", listener.owner);
        let missed = eventually(DEADLINE, &what, async || {
            let missed: Vec<_> = expected.difference(&listener.orders()).cloned().collect();
            (missed.len() <= drops).then_some(missed)
        })
        .await;
        if !missed.is_empty() {
            let mut socket = Socket::open_as(&listener.owner).await;
            for id in &missed {
                let frame = socket.subscribe(id).await;
                assert!(ENDED.map(Value::from).contains(&frame["status"]), "{}: {frame}", listener.owner);
            }
        }
        missed.len()
    }
}

const ENDED: [&str; 4] = ["CONFIRMED", "CANCELLED", "REJECTED", "FAILED"];
