//! One lane as a caller sees it.

use super::tally::{Answer, Refusal};
use crate::cli::Lane;
use crate::compare::workload::{Content, OrderIds, Workload};
use crate::requests::Requests;
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for an answer: API Gateway's own time-out is 29 s. Source: Amazon API Gateway Developer Guide, quotas of
/// REST APIs, "Integration timeout".
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    /// Number of the order.
    pub(crate) order: u32,
    /// What is sent.
    pub(crate) content: Content,
}

/// Sends requests of a workload.
pub(crate) trait Sender {
    /// Makes the request, and sends it when the future is run.
    fn prepare(&self, outgoing: Outgoing, workload: &Workload) -> impl Future<Output = Answer> + Send + 'static;
}

/// Sends to one lane of a stack, as the owners in turns.
pub(crate) struct HttpLane {
    pub(crate) lane: Lane,
    /// One per owner, with its token.
    pub(crate) owners: Vec<Requests>,
    pub(crate) ids: OrderIds,
}

impl HttpLane {
    /// As whom an order is placed.
    pub(crate) fn owner(&self, order: u32) -> &Requests {
        &self.owners[order as usize % self.owners.len()]
    }
}

impl Sender for HttpLane {
    fn prepare(&self, outgoing: Outgoing, workload: &Workload) -> impl Future<Output = Answer> + Send + 'static {
        let requests = self.owner(outgoing.order).clone();
        let id = self.ids.id(outgoing.order).to_string();
        let (lane, body) = (self.lane, workload.body(outgoing.content).to_owned());
        async move {
            match requests.put_order(lane.name(), &id, body, Instant::now() + TIMEOUT).await {
                Err(_) => Answer::Refused(Refusal::NoAnswer),
                Ok(answer) => answer_of(lane, answer.status),
            }
        }
    }
}

/// What a status says of an order.
fn answer_of(lane: Lane, status: u16) -> Answer {
    Answer::Refused(match (lane, status) {
        (Lane::Sync, 200 | 201) => return Answer::Stored,
        (Lane::Async, 202) => return Answer::Queued,
        (_, 429) => Refusal::Throttled,
        (_, 503) => Refusal::Unavailable,
        (_, 500..) => Refusal::ServerError,
        _ => Refusal::ClientError,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_lane_accepts_with_and_nothing_else() {
        assert_eq!(answer_of(Lane::Sync, 201), Answer::Stored);
        assert_eq!(answer_of(Lane::Async, 202), Answer::Queued);
        for (lane, status, why) in [
            (Lane::Sync, 202, Refusal::ClientError),
            (Lane::Async, 201, Refusal::ClientError),
            (Lane::Async, 302, Refusal::ClientError),
            (Lane::Sync, 429, Refusal::Throttled),
            (Lane::Sync, 503, Refusal::Unavailable),
            (Lane::Sync, 500, Refusal::ServerError),
            (Lane::Async, 504, Refusal::ServerError),
        ] {
            assert_eq!(answer_of(lane, status), Answer::Refused(why), "{status}");
        }
    }
}
