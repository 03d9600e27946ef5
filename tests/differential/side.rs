//! A stack on one of the emulators.

use crate::{
    cases::{Caller, Case, Record, Request, Token},
    fields::{self, Fields},
};
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Client, Url, redirect::Policy};
use serde_json::{Value, json};
use std::{collections::BTreeSet, env, fs, path::PathBuf, sync::Mutex, time::Duration};
use testkit::{
    api_client::{Response, set_up_tls, try_send},
    event_sources,
    eventually::eventually,
    order_bodies::new_id,
    queue_messages,
    stack::{OWNER, sdk_config},
    tokens::{Issuer, encode, now},
};
use tokio::time::timeout;

/// For an answer or a record, with two emulators and all their functions on one machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) endpoint: String,
    outputs: Value,
    issuer: Issuer,
    pub(crate) http: Client,
    dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Ids of orders from earlier runs, and of those that a request may leave.
    expected: Mutex<BTreeSet<String>>,
}

impl Side {
    /// The file with the outputs is in that variable.
    pub(crate) async fn new(name: &'static str, variable: &str) -> Self {
        set_up_tls();
        let how = "run this test by make test-differential";
        let path = PathBuf::from(env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: {how}")));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}: {how}", path.display()));
        let outputs: Value = serde_json::from_str(&text).unwrap();
        let issuer = Issuer::read(&path.with_file_name("issuer.json"));
        let http = Client::builder().timeout(DEADLINE).redirect(Policy::none()).no_proxy().build().unwrap();
        let endpoint = Url::parse(outputs["ApiUrl"].as_str().unwrap()).unwrap().origin().ascii_serialization();
        let config = sdk_config().await;
        // The environment's endpoint is the other side's.
        let of_dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).endpoint_url(&endpoint).build();
        let of_sqs = aws_sdk_sqs::config::Builder::from(&config).endpoint_url(&endpoint).build();
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(of_dynamodb);
        let sqs = aws_sdk_sqs::Client::from_conf(of_sqs);
        let side = Self { name, endpoint, outputs, issuer, http, dynamodb, sqs, expected: Mutex::default() };
        *side.expected.lock().unwrap() = side.order_ids().await;
        let of_lambda = aws_sdk_lambda::config::Builder::from(&config).endpoint_url(&side.endpoint).build();
        side.stop_steps(&aws_sdk_lambda::Client::from_conf(of_lambda)).await;
        side
    }

    /// Stops the steps of the bus lane: an order stays as it was submitted, whenever its record is read.
    async fn stop_steps(&self, lambda: &aws_sdk_lambda::Client) {
        let lane = lanes::lane("bus").expect("a lane of the table");
        for function in
            lane.functions.iter().filter(|function| lane.steps.iter().any(|step| step.function == function.name))
        {
            event_sources::set_enabled(lambda, self.output(function.output), false, DEADLINE).await;
        }
    }

    /// Sends a case, and returns its answer and its record.
    pub(crate) async fn observe(&self, case: &Case) -> Fields {
        let (id, owner) = (new_id(), owner(&case.request.caller));
        if case.record != Record::None {
            self.expected.lock().unwrap().insert(id.clone());
        }
        for request in &case.before {
            let response = self.send(request, &id).await.expect("an earlier request is answered");
            assert!((200..300).contains(&response.status), "{}, {}: {response:?}", self.name, case.name);
            assert!(self.settle(OWNER, &id).await, "{}, {}: an earlier request must be stored", self.name, case.name);
        }
        let mut found = match self.send(&case.request, &id).await {
            Ok(response) => {
                let mut found = of_response(&response);
                if response.status == 202 && case.record == Record::Left && !self.settle(owner, &id).await {
                    found.insert("stored".to_owned(), "nothing in time".to_owned());
                }
                found
            }
            Err(error) => Fields::from([("status".to_owned(), failure(&error).to_owned())]),
        };
        if let Some(item) = self.item(owner, &id).await {
            found.extend(fields::of_json("stored", &item));
        }
        self.without_names(found, &id)
    }

    /// Unexpected orders and dead letters at the end.
    pub(crate) async fn end(&self) -> Fields {
        let what = format!("the queue of {} is empty", self.name);
        eventually(DEADLINE, &what, async || (self.messages_in("OrdersQueueUrl").await == 0).then_some(())).await;
        let orders = self.order_ids().await;
        let unexpected = orders.difference(&self.expected.lock().unwrap()).count();
        let dead = self.messages_in("DeadLetterQueueUrl").await;
        let count = |name: &str, count: usize| (name.to_owned(), count.to_string());
        Fields::from([count("orders of no request", unexpected), count("dead letters", dead)])
    }

    pub(crate) async fn send(&self, request: &Request, id: &str) -> reqwest::Result<Response> {
        let url = format!("{}/{}", self.output("ApiUrl"), (request.path)(id));
        let built = self.http.request(request.method.clone(), url);
        let built = match self.authorization(&request.caller) {
            Some(value) => built.header("authorization", value),
            None => built,
        };
        let built = request.headers.iter().fold(built, |built, (name, value)| built.header(name, value));
        try_send(if request.body.is_empty() { built } else { built.body(request.body.clone()) }).await
    }

    fn authorization(&self, caller: &Caller) -> Option<String> {
        match caller {
            Caller::Subject(subject) => Some(format!("Bearer {}", self.issuer.token(&self.issuer.claims(subject)))),
            Caller::Anonymous => None,
            Caller::With(text, token) => Some(text.replace("{token}", &self.token(*token))),
        }
    }

    fn token(&self, token: Token) -> String {
        let (issuer, good) = (&self.issuer, self.issuer.claims(OWNER));
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            issuer.token(&claims)
        };
        match token {
            Token::Good => issuer.token(&good),
            Token::Expired => with("exp", (now() - 3600).into()),
            Token::NotYetValid => with("nbf", (now() + 3600).into()),
            Token::OfAnImpostor => issuer.impostor().token(&good),
            Token::ForAnotherAudience => with("aud", "another-audience".into()),
            Token::OfAnotherIssuer => with("iss", "https://evil.example".into()),
            Token::Unsigned => format!("{}.{}.", encode(json!({"alg": "none"}).to_string()), encode(good.to_string())),
            Token::WithoutSubject => with("sub", Value::Null),
            Token::OfSubject(subject) => with("sub", subject.into()),
        }
    }

    /// Waits for an order's record. Returns whether it exists in time.
    async fn settle(&self, owner: &str, id: &str) -> bool {
        let what = format!("{} has a record of {id}", self.name);
        let recorded = eventually(2 * DEADLINE, &what, async || self.item(owner, id).await);
        timeout(DEADLINE, recorded).await.is_ok()
    }

    async fn item(&self, owner: &str, id: &str) -> Option<Value> {
        let key = AttributeValue::S(format!("{owner}#{id}"));
        let request = self.dynamodb.get_item().table_name(self.output("OrdersTableName")).consistent_read(true);
        let response = request.key("pk", key).send().await.expect("the orders table can be read");
        response.item.as_ref().map(fields::item)
    }

    async fn order_ids(&self) -> BTreeSet<String> {
        let request = self.dynamodb.scan().table_name(self.output("OrdersTableName")).consistent_read(true);
        let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let items = items.expect("the orders table can be scanned");
        items.iter().map(|item| item["orderId"].as_s().unwrap().clone()).collect()
    }

    async fn messages_in(&self, output: &str) -> usize {
        queue_messages::count(&self.sqs, self.output(output)).await
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("The outputs of {} have no {name}", self.name))
    }

    /// Replaces names of this stack and ids of this request.
    pub(crate) fn without_names(&self, found: Fields, id: &str) -> Fields {
        let api = Url::parse(self.output("ApiUrl")).unwrap();
        let without = |text: String| {
            let text = text.replace(api.as_str(), "{api}").replace(api.path(), "{api}");
            text.replace(id, "{id}")
                .replace(&id.to_uppercase(), "{ID}")
                .replace(&id.replace('-', ""), "{id without hyphens}")
        };
        found.into_iter().map(|(name, value)| (name, without(value))).collect()
    }
}

fn owner(caller: &Caller) -> &str {
    match caller {
        Caller::Subject(subject) => subject,
        Caller::Anonymous | Caller::With(..) => OWNER,
    }
}

fn of_response(response: &Response) -> Fields {
    let mut found = fields::of_headers(&response.headers);
    found.insert("status".to_owned(), response.status.to_string());
    if response.body != Value::String(String::new()) {
        found.extend(fields::of_json("body", &response.body));
    }
    found
}

fn failure(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() { "none in time" } else { "none: the connection broke" }
}
