//! Each role allows exactly what its function needs: removing an action breaks its purpose, and nothing else. Only a
//! topic's publishers can publish an event, and only the topic can send it to a queue.
//!
//! The test changes roles, so no other suite may use the stack concurrently. Changes must take effect at once, so it
//! needs a local cloud that enforces policies: `python3 infra/local exec -- cargo test -p twolane-tests --test
//! privileges`. AWS's own use of a function's role is not checked: to poll a queue, write logs, trace. `faults` checks
//! redelivery by `sqs:ChangeMessageVisibility`.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

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

/// An action, a part of its resource's name, and what breaks without it.
type Needed<'a> = (&'a str, &'a str, &'a [Work]);

#[tokio::test]
async fn the_stack_gives_each_role_what_it_needs_and_no_more() {
    assert!(output("ApiUrl").starts_with("http:"), "only for local clouds: the test removes actions from roles");

    // The first needs every role as deployed.
    forbidden::only_publishers_publish_and_only_topics_send().await;
    each_action_is_needed_for_its_purpose_and_for_nothing_else().await;
}

async fn each_action_is_needed_for_its_purpose_and_for_nothing_else() {
    use Work::{
        CancelOnBus, Close, CloseExpired, CloseExpiredOnBus, ConfirmOnBus, Connect, Disconnect, ForgetGone,
        ForgetGoneOnBus, ListOrders, Notify, NotifyOnBus, Pay, Ping, PlaceOnBus, PlaceQueued, PlaceSync, Read,
        ReadPayment, ReadStock, RecordOnBus, Settle, Subscribe,
    };
    let config = sdk_config().await;
    let lambda = aws_sdk_lambda::Client::new(&config);
    let (orders, connections) = ("-OrdersTable-", "-ConnectionsTable-");
    let (post, close) = ("/POST/@connections/", "/DELETE/@connections/");
    let (put, update, publish) = ("dynamodb:PutItem", "dynamodb:UpdateItem", "sns:Publish");
    let manage = "execute-api:ManageConnections";
    let notified: &[Work] = &[Notify, ForgetGone, CloseExpired];
    let sockets: &[Work] =
        &[Connect, Subscribe, Ping, Disconnect, Close, Notify, CloseExpired, NotifyOnBus, CloseExpiredOnBus];
    let settled: &[Work] = &[Settle, Notify, ForgetGone, CloseExpired];
    let queued: &[Work] = &[PlaceQueued, Settle, Notify, ForgetGone, CloseExpired];
    let notified_on_bus: &[Work] = &[NotifyOnBus, ForgetGoneOnBus, CloseExpiredOnBus];
    let undecided: &[Work] = &[ConfirmOnBus, CancelOnBus];
    let decided: &[Work] = &[ConfirmOnBus, CancelOnBus, NotifyOnBus, ForgetGoneOnBus, CloseExpiredOnBus];
    let recorded: &[Work] = &[RecordOnBus, ConfirmOnBus, CancelOnBus, NotifyOnBus, ForgetGoneOnBus, CloseExpiredOnBus];
    let placed: &[Work] =
        &[PlaceOnBus, RecordOnBus, ConfirmOnBus, CancelOnBus, NotifyOnBus, ForgetGoneOnBus, CloseExpiredOnBus];
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
                ("dynamodb:Query", connections, notified),
                ("dynamodb:DeleteItem", connections, &[ForgetGone]),
                (manage, post, &[Notify, ForgetGone]),
                (manage, close, &[CloseExpired]),
                (put, orders, settled),
            ],
        ),
        ("", &[("sqs:SendMessage", "-OrdersQueue-", queued)]),
        ("PublishOrderFunctionName", &[(publish, "-OrderSubmissionsTopic-", placed)]),
        (
            "SettleOrderFunctionName",
            &[
                ("dynamodb:Query", connections, notified_on_bus),
                ("dynamodb:DeleteItem", connections, &[ForgetGoneOnBus]),
                (manage, post, &[NotifyOnBus, ForgetGoneOnBus]),
                (manage, close, &[CloseExpiredOnBus]),
                (put, orders, recorded),
                (update, orders, decided),
                (publish, "-OrderEventsTopic-", decided),
            ],
        ),
        // Other orders are cancelled anyway, because another step refuses them.
        (
            "ReserveStockFunctionName",
            &[(put, stock, undecided), (update, stock, undecided), (publish, outcomes, undecided)],
        ),
        // The order that is out of stock is cancelled without votes of these two. They record the cancellation with the
        // first action.
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
    assert_eq!(broken(&usual), BTreeSet::new(), "everything must work with the policies as deployed");
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

/// What fails without an action. Probes that should fail get only twice their `usual` time, which includes cold starts.
async fn without(
    role: &Role,
    action: &str,
    resource: &str,
    expected: &BTreeSet<Work>,
    usual: &BTreeMap<Work, Option<Duration>>,
) -> BTreeSet<Work> {
    let time_limit = |work| match usual[&work] {
        Some(duration) if expected.contains(&work) => DEADLINE.min(2 * duration),
        _ => DEADLINE,
    };
    broken(&role.without(action, resource, tried(time_limit)).await)
}

fn broken(tried: &BTreeMap<Work, Option<Duration>>) -> BTreeSet<Work> {
    tried.iter().filter(|(_, duration)| duration.is_none()).map(|(work, _)| *work).collect()
}
