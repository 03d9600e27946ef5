use aws_lambda_events::event::apigw::ApiGatewayWebsocketProxyRequest;
use lambda_support::{
    caller::{Caller, CallerError},
    clock,
};
use orders::{
    Connection, ConnectionId, ConnectionRepository, ErrorChain, InvalidConnectionId, OrderRepository, Owner,
    RepositoryError, Timestamp,
};
use orders_api::{ClientFrame, SUBPROTOCOL, ServerFrame};
use orders_websocket::{SendError, WebSocketSender};
use serde_json::{Value, json};
use std::future::Future;
use thiserror::Error;

/// The subprotocols that a client offers, and the one that the server selects.
const SUBPROTOCOL_HEADER: &str = "Sec-WebSocket-Protocol";

/// Answers the client that sent the event.
pub(crate) trait Reply {
    fn reply(&self, connection: &ConnectionId, frame: &ServerFrame) -> impl Future<Output = Result<(), SendError>>;

    fn close(&self, connection: &ConnectionId) -> impl Future<Output = Result<(), SendError>>;
}

impl Reply for WebSocketSender {
    async fn reply(&self, connection: &ConnectionId, frame: &ServerFrame) -> Result<(), SendError> {
        self.send(connection, frame).await
    }

    async fn close(&self, connection: &ConnectionId) -> Result<(), SendError> {
        self.close(connection).await
    }
}

/// Handles WebSocket events: adds and removes connections, and answers frames.
#[derive(Debug)]
pub(crate) struct Handler<O, C, S> {
    pub(crate) orders: O,
    pub(crate) connections: C,
    pub(crate) sender: S,
}

#[derive(Debug, Error)]
enum HandleError {
    #[error("the event's connection id {0}")]
    ConnectionId(#[from] InvalidConnectionId),
    #[error("failed to identify the caller")]
    Caller(#[from] CallerError),
    #[error("failed to reach the database")]
    Repository(#[from] RepositoryError),
    #[error("failed to answer the client")]
    Send(#[from] SendError),
}

impl<O: OrderRepository, C: ConnectionRepository, S: Reply> Handler<O, C, S> {
    /// Serves one event.
    ///
    /// # Responses
    /// - 200: done. On `$connect` this opens the socket, and selects the subprotocol if the client offers it.
    /// - 500: failed; the log has the cause. On `$connect` this refuses the socket.
    ///
    /// Frames are answered over the socket: `order.status` for a subscription, `pong` for a ping. `error` answers a
    /// frame that is not understood or cannot be served now, and any frame after the token's expiry, which also closes
    /// the socket. A ping uses no table: the authorizer's context has the expiry.
    pub(crate) async fn handle(&self, event: &ApiGatewayWebsocketProxyRequest) -> Value {
        let kind = event.request_context.event_type.as_deref().unwrap_or_default();
        let status = match self.serve(event, kind).await {
            // Not an error: the client closed its socket meanwhile.
            Ok(()) | Err(HandleError::Send(SendError::Gone)) => 200,
            Err(error) => {
                let connection = event.request_context.connection_id.as_deref().unwrap_or_default();
                let error = ErrorChain(&error);
                tracing::error!(connection.id = connection, kind, %error, "Failed to serve a {kind} event");
                500
            }
        };
        if kind == "CONNECT" && offers_subprotocol(event) {
            return json!({ "statusCode": status, "headers": { SUBPROTOCOL_HEADER: SUBPROTOCOL } });
        }
        json!({ "statusCode": status })
    }

    /// By the kind of event, because a client's frame can name any route.
    async fn serve(&self, event: &ApiGatewayWebsocketProxyRequest, kind: &str) -> Result<(), HandleError> {
        let context = &event.request_context;
        let id = ConnectionId::parse(context.connection_id.as_deref().unwrap_or_default())?;
        // API Gateway sends the authorizer's context of `$connect` with every event of the socket.
        let caller = Caller::from_context(|name| context.authorizer.fields.get(name))?;
        match kind {
            "CONNECT" => {
                let connected_at = Timestamp::from_unix_ms(context.connected_at).unwrap_or_else(|_| clock::now());
                let connection = Connection::open(caller.owner, id, connected_at, caller.session_ends_at);
                self.connections.add(&connection).await?;
            }
            "DISCONNECT" => self.connections.remove(&caller.owner, &id).await?,
            _ if caller.is_expired() => self.end(&caller.owner, &id).await?,
            _ => self.answer(&caller.owner, &id, event.body.as_deref().unwrap_or_default()).await?,
        }
        Ok(())
    }

    /// After a session: sends the reason, closes the socket, and removes its row.
    async fn end(&self, owner: &Owner, id: &ConnectionId) -> Result<(), HandleError> {
        tracing::info!(connection.id = %id, "Closed connection {id}: its token has expired");
        let detail = "The token has expired. Connect again with a new one.".to_owned();
        let replied = self.sender.reply(id, &ServerFrame::Error { detail }).await;
        let closed = match replied {
            Err(SendError::Gone) => Ok(()),
            // Even if the reply failed.
            _ => self.sender.close(id).await,
        };
        match closed {
            Ok(()) | Err(SendError::Gone) => Ok(self.connections.remove(owner, id).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// The client is notified of a failure, too.
    async fn answer(&self, owner: &Owner, id: &ConnectionId, text: &str) -> Result<(), HandleError> {
        let subscription = match ClientFrame::parse(text) {
            Ok(ClientFrame::Subscribe(subscription)) => subscription,
            Ok(ClientFrame::Ping) => return Ok(self.sender.reply(id, &ServerFrame::Pong).await?),
            Err(error) => {
                let detail = format!("The frame was not understood: {error}.");
                return Ok(self.sender.reply(id, &ServerFrame::Error { detail }).await?);
            }
        };
        match self.orders.find(owner, &subscription).await {
            Ok(order) => {
                tracing::info!(order.id = %subscription, connection.id = %id, "Subscribed to order {subscription}");
                Ok(self.sender.reply(id, &ServerFrame::status(&subscription, order.as_ref())).await?)
            }
            Err(error) => {
                let detail = format!("The state of order {subscription} cannot be read right now. Subscribe again.");
                self.sender.reply(id, &ServerFrame::Error { detail }).await?;
                Err(error.into())
            }
        }
    }
}

/// A client that offers subprotocols closes the socket unless the server selects one of them.
fn offers_subprotocol(event: &ApiGatewayWebsocketProxyRequest) -> bool {
    let offered =
        event.multi_value_headers.get_all(SUBPROTOCOL_HEADER).iter().chain(event.headers.get(SUBPROTOCOL_HEADER));
    offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == SUBPROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::{
        Order,
        fakes::{self, InMemoryConnections, InMemoryOrders, Unavailable},
    };
    use proptest::prelude::*;
    use std::cell::RefCell;

    #[derive(Default)]
    struct RecordingReply(RefCell<Vec<(ConnectionId, ServerFrame)>>, RefCell<Vec<ConnectionId>>);

    impl Reply for RecordingReply {
        async fn reply(&self, connection: &ConnectionId, frame: &ServerFrame) -> Result<(), SendError> {
            self.0.borrow_mut().push((connection.clone(), frame.clone()));
            Ok(())
        }

        async fn close(&self, connection: &ConnectionId) -> Result<(), SendError> {
            self.1.borrow_mut().push(connection.clone());
            Ok(())
        }
    }

    struct ClosedSocket;

    impl Reply for ClosedSocket {
        async fn reply(&self, _: &ConnectionId, _: &ServerFrame) -> Result<(), SendError> {
            Err(SendError::Gone)
        }

        async fn close(&self, _: &ConnectionId) -> Result<(), SendError> {
            Err(SendError::Gone)
        }
    }

    type TestHandler<O> = Handler<O, InMemoryConnections, RecordingReply>;

    fn handler<O: OrderRepository>(orders: O) -> TestHandler<O> {
        Handler { orders, connections: InMemoryConnections::default(), sender: RecordingReply::default() }
    }

    fn event(fixture: &str) -> ApiGatewayWebsocketProxyRequest {
        serde_json::from_str(fixture).expect("the fixture is an event of a WebSocket API")
    }

    fn connect() -> ApiGatewayWebsocketProxyRequest {
        event(include_str!("../tests/fixtures/websocket-connect.json"))
    }

    fn message(body: &str) -> ApiGatewayWebsocketProxyRequest {
        let mut event = event(include_str!("../tests/fixtures/websocket-message.json"));
        event.body = Some(body.to_owned());
        event
    }

    fn subscribe() -> ApiGatewayWebsocketProxyRequest {
        message(&json!({"action": "subscribe", "orderId": fakes::order_id().to_string()}).to_string())
    }

    fn disconnect() -> ApiGatewayWebsocketProxyRequest {
        event(include_str!("../tests/fixtures/websocket-disconnect.json"))
    }

    async fn status(handler: &TestHandler<InMemoryOrders>, event: &ApiGatewayWebsocketProxyRequest) -> Value {
        handler.handle(event).await["statusCode"].clone()
    }

    #[tokio::test]
    async fn keeps_a_socket_from_connect_to_disconnect() {
        let handler = handler(InMemoryOrders::default());

        assert_eq!(status(&handler, &connect()).await, 200);
        let open = handler.connections.list(&fakes::owner("demo")).await.expect("in memory");
        assert_eq!(open[0].id.as_str(), "L0SM9cOFvHcCIhw=");

        assert_eq!(status(&handler, &disconnect()).await, 200);
        assert!(handler.connections.list(&fakes::owner("demo")).await.expect("in memory").is_empty());
    }

    #[tokio::test]
    async fn answers_a_subscription_with_the_present_state() {
        for order in [fakes::failed(), fakes::placed(), fakes::confirmed_by_steps(), fakes::cancelled("no")] {
            let handler = handler(InMemoryOrders::default());
            let order = Order { owner: fakes::owner("demo"), ..order };

            handler.handle(&subscribe()).await;
            handler.orders.insert(order.clone());
            handler.handle(&subscribe()).await;

            let frames: Vec<_> = handler.sender.0.take().into_iter().map(|(_, frame)| frame).collect();
            assert_eq!(frames, [ServerFrame::status(&order.id, None), ServerFrame::status(&order.id, Some(&order))]);
        }
    }

    #[tokio::test]
    async fn answers_the_same_for_another_owners_order_and_an_unknown_one() {
        let handler = handler(InMemoryOrders::default());
        handler.orders.insert(fakes::failed());

        handler.handle(&subscribe()).await;

        assert_eq!(handler.sender.0.take()[0].1, ServerFrame::status(&fakes::order_id(), None));
    }

    #[tokio::test]
    async fn answers_any_other_frame_with_an_error_frame() {
        for body in ["", "hello", "{}", r#"{"action":"subscribe","orderId":"1"}"#] {
            let handler = handler(InMemoryOrders::default());

            assert_eq!(status(&handler, &message(body)).await, 200);

            assert!(matches!(&handler.sender.0.take()[..], [(_, ServerFrame::Error { .. })]), "{body}");
        }
    }

    #[tokio::test]
    async fn answers_a_ping_without_the_database() {
        let (connections, sender) = (InMemoryConnections::default(), RecordingReply::default());
        let handler = Handler { orders: Unavailable, connections, sender };

        for ping in [r#"{"action":"ping"}"#, r#"{"type":"ping"}"#, "ping"] {
            assert_eq!(handler.handle(&message(ping)).await["statusCode"], 200, "{ping}");
        }

        let frames: Vec<_> = handler.sender.0.take().into_iter().map(|(_, frame)| frame).collect();
        assert_eq!(frames, [ServerFrame::Pong, ServerFrame::Pong, ServerFrame::Pong]);
        assert!(handler.connections.all().is_empty());
    }

    #[tokio::test]
    async fn answers_with_an_error_frame_if_the_state_cannot_be_read() {
        let handler = handler(Unavailable);

        let answer = handler.handle(&subscribe()).await;

        assert_eq!(answer["statusCode"], 500);
        assert!(matches!(&handler.sender.0.take()[..], [(_, ServerFrame::Error { .. })]));
    }

    #[tokio::test]
    async fn treats_a_frame_as_a_frame_whatever_route_it_names() {
        let handler = handler(InMemoryOrders::default());
        handler.handle(&connect()).await;
        for route in ["$connect", "$disconnect"] {
            let mut frame = message(&json!({ "action": route }).to_string());
            frame.request_context.route_key = Some(route.to_owned());

            handler.handle(&frame).await;
        }

        assert_eq!(handler.connections.all().len(), 1);
        assert_eq!(handler.sender.0.take().len(), 2);
    }

    #[tokio::test]
    async fn a_client_that_is_gone_before_its_answer_is_not_an_error() {
        let handler = Handler {
            orders: InMemoryOrders::default(),
            connections: InMemoryConnections::default(),
            sender: ClosedSocket,
        };

        assert_eq!(handler.handle(&subscribe()).await["statusCode"], 200);
    }

    #[tokio::test]
    async fn refuses_a_socket_if_the_authorizer_does_not_name_the_owner_or_the_expiry() {
        let handler = handler(InMemoryOrders::default());
        for missing in ["owner", "expiresAt"] {
            let mut event = connect();
            event.request_context.authorizer.fields.remove(missing);
            event.stage_variables.insert("owner".to_owned(), "mallory".to_owned());

            assert_eq!(status(&handler, &event).await, 500, "{missing}");
        }
        assert!(handler.connections.all().is_empty());
    }

    fn expired(mut event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayWebsocketProxyRequest {
        event.request_context.authorizer.fields.insert("expiresAt".to_owned(), json!("1795339860"));
        event
    }

    #[tokio::test]
    async fn a_row_expires_with_the_token_that_opened_its_socket() {
        let handler = handler(InMemoryOrders::default());

        handler.handle(&expired(connect())).await;

        assert_eq!(handler.connections.all()[0].expires_at.unix_seconds(), 1_795_339_860);
    }

    #[tokio::test]
    async fn closes_and_forgets_a_socket_on_the_first_frame_after_its_token_expired() {
        for frame in [subscribe(), message(r#"{"action":"ping"}"#), message("hello"), message("")] {
            let handler = handler(InMemoryOrders::default());
            handler.handle(&connect()).await;
            let mut frame = expired(frame);
            frame.request_context.authorizer.fields.insert("expiresAt".to_owned(), json!("1700000000"));

            assert_eq!(status(&handler, &frame).await, 200);

            assert!(
                matches!(&handler.sender.0.take()[..], [(_, ServerFrame::Error { detail })] if detail.contains("expired"))
            );
            assert_eq!(handler.sender.1.take().len(), 1);
            assert!(handler.connections.all().is_empty());
        }
    }

    #[tokio::test]
    async fn forgets_a_socket_that_disconnects_after_its_token_has_expired() {
        let handler = handler(InMemoryOrders::default());
        handler.handle(&connect()).await;

        assert_eq!(status(&handler, &expired(disconnect())).await, 200);

        assert!(handler.connections.all().is_empty());
    }

    #[tokio::test]
    async fn selects_the_subprotocol_and_never_the_token() {
        let handler = handler(InMemoryOrders::default());
        let mut event = connect();
        let offered = "twolane.v1, twolane.token.a.b.c".parse().expect("visible ASCII");
        event.multi_value_headers.insert(SUBPROTOCOL_HEADER, offered);

        let answer = handler.handle(&event).await;

        assert_eq!(answer["headers"], json!({"Sec-WebSocket-Protocol": "twolane.v1"}));
        assert!(
            handler.handle(&connect()).await["headers"].is_null(),
            "no subprotocol is selected if the client offers none"
        );
    }

    proptest! {
        #[test]
        fn no_event_makes_the_handler_panic(
            fixture in prop_oneof![
                Just(include_str!("../tests/fixtures/websocket-connect.json")),
                Just(include_str!("../tests/fixtures/websocket-message.json")),
                Just(include_str!("../tests/fixtures/websocket-disconnect.json")),
            ],
            field in "connectionId|eventType|routeKey|connectedAt|requestTimeEpoch|disconnectStatusCode|stage",
            value in prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from)],
            body in any::<Option<String>>(),
        ) {
            let mut event: Value = serde_json::from_str(fixture).expect("the fixture is JSON");
            event["requestContext"][field] = value;
            event["body"] = json!(body);
            if let Ok(event) = serde_json::from_value(event) {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(handler(InMemoryOrders::default()).handle(&event));
            }
        }

        #[test]
        fn no_frame_makes_the_handler_panic(body in any::<String>(), route in any::<Option<String>>(), id in any::<Option<String>>()) {
            let mut event = message(&body);
            event.request_context.route_key = route;
            event.request_context.connection_id = id;
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(handler(InMemoryOrders::default()).handle(&event));
        }
    }
}
