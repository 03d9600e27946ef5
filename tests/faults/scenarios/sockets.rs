//! A client's socket closes at each point of the flow.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use fault_endpoint::{Fault, Gate, Rule, When};
use testkit::{
    order_bodies::{new_id, order_of},
    socket::Socket,
    stack::OWNER,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    BeforeTheOrder,
    WhileItIsWritten,
    AfterTheWrite,
    WhileItsOwnerIsNotified,
    AfterItsOwnerWasNotified,
}

pub(crate) async fn a_socket_closed_at_any_point_costs_no_order_and_a_new_one_reads_the_status(
    bed: &TestBed,
    _: Load,
) -> Figures {
    use Point::{AfterItsOwnerWasNotified, AfterTheWrite, BeforeTheOrder, WhileItIsWritten, WhileItsOwnerIsNotified};
    let points = [BeforeTheOrder, WhileItIsWritten, AfterTheWrite, WhileItsOwnerIsNotified, AfterItsOwnerWasNotified];
    for point in points {
        let (id, mark, gate) = (new_id(), bed.endpoint.mark(), Gate::closed());
        let mut listener = Listener::open(bed, OWNER).await;
        let (about, connection) = (id.clone(), listener.connection_id.clone());
        match point {
            WhileItIsWritten => {
                let writes = move |call: &fault_endpoint::Call| call.writes("CONFIRMED") && call.is_about(&about);
                bed.endpoint.inject(Rule::new(writes, When::Always, Fault::HoldBefore(gate.clone())));
            }
            AfterTheWrite => {
                let looks_up = |call: &fault_endpoint::Call| call.operation == "Query";
                bed.endpoint.inject(Rule::new(looks_up, When::Always, Fault::HoldBefore(gate.clone())));
            }
            WhileItsOwnerIsNotified => {
                let posts = move |call: &fault_endpoint::Call| call.is_post() && call.key == connection;
                bed.endpoint.inject(Rule::new(posts, When::Always, Fault::HoldBefore(gate.clone())));
            }
            BeforeTheOrder | AfterItsOwnerWasNotified => {}
        }

        if point == BeforeTheOrder {
            drop(listener);
            bed.api.put("async", &id, &order_of("SKU-1")).await;
        } else {
            bed.api.put("async", &id, &order_of("SKU-1")).await;
            if point == AfterItsOwnerWasNotified {
                listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
            } else {
                gate.reached_by(1, DELIVERY_WAIT).await;
            }
            drop(listener);
            gate.open();
        }

        assert_eq!(bed.api.settled(&id).await["status"], "CONFIRMED", "{point:?}");
        bed.queue_is_empty(DELIVERY_WAIT).await;
        assert_eq!(bed.endpoint.writes(mark, &id, "CONFIRMED"), 1, "{point:?}: it must have been written once");
        let mut socket = Socket::open_alone().await;
        assert_eq!(socket.subscribe(&id).await["status"], "CONFIRMED", "{point:?}");
        socket.close().await;
        bed.endpoint.heal();
    }
    Figures::default().with("points", points.len()).with("writes", points.len())
}
