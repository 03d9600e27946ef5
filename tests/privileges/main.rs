//! Every function works with exactly what its role allows: each action that is taken away breaks what it is there for
//! and nothing else. And nothing but its publishers and its topic can publish an event or send it to a queue.
//!
//! Roles are changed while this runs, so it has the stack to itself, and a change must take effect at once: this needs a
//! local cloud that enforces policies, `python3 infra/local exec -- cargo test -p twolane-tests --test privileges`. It
//! does not check what AWS itself does as a function's role: poll a queue, write logs, trace. Redelivery by
//! `sqs:ChangeMessageVisibility` is checked by `faults`.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped is what the test is about; the place says enough")]

mod bus_probes;
mod forbidden;
mod probe;
mod probes;
mod roles;

use probes::{Work, tried};
use roles::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use testkit::{eventually::DEADLINE, outputs::output, stack::sdk_config};

/// An action, what is in the name of its resource, and what breaks without it.
type Needed<'a> = (&'a str, &'a str, &'a [Work]);

#[tokio::test]
async fn the_stack_gives_each_role_what_it_needs_and_no_more() {
    assert!(
        output("ApiUrl").starts_with("http:"),
        "this takes actions away from roles, so it is for local clouds alone"
    );

    // One after the other: the first needs every role as deployed.
    forbidden::only_publishers_publish_and_only_topics_send().await;
    every_action_is_needed_for_what_it_is_there_for_and_for_nothing_else().await;
}

async fn every_action_is_needed_for_what_it_is_there_for_and_for_nothing_else() {
    use Work::{
        CancelOnBus, Close, CloseExpired, CloseExpiredOfBus, ConfirmOnBus, Connect, Disconnect, ForgetGone,
        ForgetGoneOfBus, ListOrders, Pay, Ping, PlaceOnBus, PlaceQueued, PlaceSync, Read, ReadPayment, ReadStock,
        RecordOnBus, Settle, Subscribe, Tell, TellOfBus,
    };
    let config = sdk_config().await;
    let lambda = aws_sdk_lambda::Client::new(&config);
    let (orders, connections) = ("-OrdersTable-", "-ConnectionsTable-");
    let (post, close) = ("/POST/@connections/", "/DELETE/@connections/");
    let (put, update, publish) = ("dynamodb:PutItem", "dynamodb:UpdateItem", "sns:Publish");
    let manage = "execute-api:ManageConnections";
    let told: &[Work] = &[Tell, ForgetGone, CloseExpired];
    let sockets: &[Work] =
        &[Connect, Subscribe, Ping, Disconnect, Close, Tell, CloseExpired, TellOfBus, CloseExpiredOfBus];
    let settled: &[Work] = &[Settle, Tell, ForgetGone, CloseExpired];
    let queued: &[Work] = &[PlaceQueued, Settle, Tell, ForgetGone, CloseExpired];
    let notified: &[Work] = &[TellOfBus, ForgetGoneOfBus, CloseExpiredOfBus];
    let undecided: &[Work] = &[ConfirmOnBus, CancelOnBus];
    let decided: &[Work] = &[ConfirmOnBus, CancelOnBus, TellOfBus, ForgetGoneOfBus, CloseExpiredOfBus];
    let recorded: &[Work] = &[RecordOnBus, ConfirmOnBus, CancelOnBus, TellOfBus, ForgetGoneOfBus, CloseExpiredOfBus];
    let placed: &[Work] =
        &[PlaceOnBus, RecordOnBus, ConfirmOnBus, CancelOnBus, TellOfBus, ForgetGoneOfBus, CloseExpiredOfBus];
    let (stock, payments, shipments, outcomes) =
        ("-StockTable-", "-PaymentsTable-", "-ShipmentsTable-", "-StepOutcomesTopic-");
    let table: [(&str, &[Needed]); 14] = [
        ("CreateOrderFunctionName", &[(put, orders, &[PlaceSync])]),
        ("GetOrderFunctionName", &[("dynamodb:GetItem", orders, &[Read])]),
        ("ListOrdersFunctionName", &[("dynamodb:Query", orders, &[ListOrders])]),
        (
            "ManageConnectionsFunctionName",
            &[
                // A ping reads and writes nothing.
                ("dynamodb:GetItem", orders, &[Subscribe]),
                (put, connections, sockets),
                ("dynamodb:DeleteItem", connections, &[Disconnect]),
                (manage, post, &[Subscribe, Ping]),
                (manage, close, &[Close]),
            ],
        ),
        (
            "ProcessOrdersFunctionName",
            &[
                ("dynamodb:Query", connections, told),
                ("dynamodb:DeleteItem", connections, &[ForgetGone]),
                (manage, post, &[Tell, ForgetGone]),
                (manage, close, &[CloseExpired]),
                (put, orders, settled),
            ],
        ),
        ("", &[("sqs:SendMessage", "-OrdersQueue-", queued)]),
        ("PublishOrderFunctionName", &[(publish, "-OrderSubmissionsTopic-", placed)]),
        (
            "SettleOrderFunctionName",
            &[
                ("dynamodb:Query", connections, notified),
                ("dynamodb:DeleteItem", connections, &[ForgetGoneOfBus]),
                (manage, post, &[TellOfBus, ForgetGoneOfBus]),
                (manage, close, &[CloseExpiredOfBus]),
                (put, orders, recorded),
                (update, orders, decided),
                (publish, "-OrderEventsTopic-", decided),
            ],
        ),
        // Orders of the other probes are cancelled whichever step fails, since another one refuses them.
        (
            "ReserveStockFunctionName",
            &[(put, stock, undecided), (update, stock, undecided), (publish, outcomes, undecided)],
        ),
        // The order that is out of stock is cancelled without a vote of these two. They record that with the first action.
        (
            "AuthorizePaymentFunctionName",
            &[(put, payments, undecided), (update, payments, &[ConfirmOnBus]), (publish, outcomes, &[ConfirmOnBus])],
        ),
        (
            "BookShipmentFunctionName",
            &[(put, shipments, undecided), (update, shipments, &[ConfirmOnBus]), (publish, outcomes, &[ConfirmOnBus])],
        ),
        ("CreatePaymentFunctionName", &[(put, payments, &[Pay, ReadPayment]), (update, payments, &[Pay, ReadPayment])]),
        ("GetPaymentFunctionName", &[("dynamodb:GetItem", payments, &[ReadPayment])]),
        ("GetStockFunctionName", &[("dynamodb:GetItem", stock, &[ReadStock])]),
    ];

    let usual = tried(|_| DEADLINE).await;
    assert_eq!(broken(&usual), BTreeSet::new(), "with all policies as deployed, everything works");
    for (function, actions) in table {
        let role =
            if function.is_empty() { Role::of_the_api().await } else { Role::of_function(&lambda, function).await };
        let mut listed: Vec<_> = actions.iter().map(|(action, ..)| *action).collect();
        listed.sort_unstable();
        assert_eq!(role.own_actions(), listed, "{function}: actions of its role (left), of this table (right)");
        for (action, resource, expected) in actions {
            let expected: BTreeSet<_> = expected.iter().copied().collect();
            let found = without(&role, action, resource, &expected, &usual).await;
            assert_eq!(found, expected, "{function} without {action} on {resource}: broken (left), expected (right)");
        }
    }
}

/// What does not work without that action. What should not work has twice its `usual` time to work after all. The first time,
/// functions were started too.
async fn without(
    role: &Role,
    action: &str,
    resource: &str,
    expected: &BTreeSet<Work>,
    usual: &BTreeMap<Work, Option<Duration>>,
) -> BTreeSet<Work> {
    let patience = |work| match usual[&work] {
        Some(duration) if expected.contains(&work) => DEADLINE.min(2 * duration),
        _ => DEADLINE,
    };
    broken(&role.without(action, resource, tried(patience)).await)
}

/// What does not work.
fn broken(tried: &BTreeMap<Work, Option<Duration>>) -> BTreeSet<Work> {
    tried.iter().filter(|(_, duration)| duration.is_none()).map(|(work, _)| *work).collect()
}
