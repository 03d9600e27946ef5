//! One lane, called over HTTP.

use super::tally::{Refusal, RequestResult};
use crate::workload::{Content, OrderIds, Workload};
use lanes::{Answer, Lane};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use twolane_client::requests::Requests;

/// Longest wait for an answer: API Gateway's timeout is 29 s. Source: Amazon API Gateway Developer Guide, quotas of
/// REST APIs, "Integration timeout".
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    pub(crate) order: u32,
    pub(crate) content: Content,
}

pub(crate) trait Sender {
    /// Makes the request, and sends it when the future is run.
    fn prepare(&self, outgoing: Outgoing, workload: &Workload) -> impl Future<Output = RequestResult> + Send + 'static;
}

/// Sends to one lane of a stack, each order as its owner.
pub(crate) struct HttpLane {
    pub(crate) lane: Lane,
    pub(crate) workload: Arc<Workload>,
    /// One per owner, with its token.
    pub(crate) owners: Vec<Requests>,
    pub(crate) ids: OrderIds,
}

impl HttpLane {
    pub(crate) fn owner(&self, order: u32) -> &Requests {
        &self.owners[self.workload.turns.owner(order, self.owners.len())]
    }
}

impl Sender for HttpLane {
    fn prepare(&self, outgoing: Outgoing, workload: &Workload) -> impl Future<Output = RequestResult> + Send + 'static {
        let requests = self.owner(outgoing.order).clone();
        let id = self.ids.id(outgoing.order).to_string();
        let (lane, body) = (self.lane, workload.body(outgoing.content).to_owned());
        async move {
            match requests.put_order(lane, &id, body, Instant::now() + TIMEOUT).await {
                Err(unanswered) if unanswered.is_local => RequestResult::NotSent(unanswered.why),
                Err(_) => RequestResult::Refused(Refusal::NoAnswer),
                Ok(response) => result_of(lane, response.status),
            }
        }
    }
}

fn result_of(lane: Lane, status: u16) -> RequestResult {
    if lane.accepted.contains(&status) {
        return match lane.answer {
            Answer::Outcome => RequestResult::Stored,
            Answer::Receipt => RequestResult::Queued,
        };
    }
    RequestResult::Refused(match status {
        400 => Refusal::Invalid,
        429 => Refusal::Throttled,
        503 => Refusal::Unavailable,
        500.. => Refusal::ServerError,
        _ => Refusal::ClientError,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(lane: &str, status: u16) -> RequestResult {
        result_of(lanes::lane(lane).expect("it is in the table"), status)
    }

    #[test]
    fn accepts_only_the_lane_s_statuses() {
        assert_eq!(result("sync", 201), RequestResult::Stored);
        assert_eq!(result("async", 202), RequestResult::Queued);
        for (lane, status, why) in [
            ("sync", 202, Refusal::ClientError),
            ("async", 201, Refusal::ClientError),
            ("async", 302, Refusal::ClientError),
            ("bus", 400, Refusal::Invalid),
            ("sync", 429, Refusal::Throttled),
            ("sync", 503, Refusal::Unavailable),
            ("sync", 500, Refusal::ServerError),
            ("async", 504, Refusal::ServerError),
        ] {
            assert_eq!(result(lane, status), RequestResult::Refused(why), "{status}");
        }
    }
}
