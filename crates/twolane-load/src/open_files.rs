//! Open files, including sockets: this process's limit, and what a load needs.

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, File};
use twolane_client::requests::FILES_PER_REQUEST;

/// Default for the most concurrent requests per lane.
const IN_FLIGHT: u32 = 1000;

/// Files reserved during the load for the work after it: reading records, changing the stack back, writing the report.
const HELD: u64 = 32;

/// Other files open during the load: connections to AWS, name look-ups.
const BESIDES: u64 = 32;

/// macOS's maximum if the limit is unlimited. Source: setrlimit(2) of macOS, "COMPATIBILITY": `OPEN_MAX`.
const OPEN_MAX: u64 = 10_240;

/// Raises the soft limit of open files to the hard limit, if that works. The soft limit suits programs with few files:
/// 256 on macOS.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` means unlimited.
    for most in [maximum, Some(OPEN_MAX.min(maximum.unwrap_or(u64::MAX)))] {
        let is_more = current.is_some_and(|current| most.is_none_or(|most| most > current));
        if is_more && setrlimit(Resource::Nofile, Rlimit { current: most, maximum }).is_ok() {
            return;
        }
    }
}

/// Checks that the limit of open files allows `concurrency` concurrent orders.
///
/// # Errors
/// The limit is too low.
pub fn check_concurrency(concurrency: u16, orders: usize) -> anyhow::Result<()> {
    let demand = FileDemand { lanes: 1, requests: orders as u64, endpoint: 0, polls: 0, sockets: 1 };
    demand.in_flight("--concurrency", Some(concurrency.into()), |_| ()).map(drop)
}

/// What opens files during a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileDemand {
    pub(crate) lanes: u64,
    /// Requests of the lane with the most.
    pub(crate) requests: u64,
    /// Files that an endpoint in this process opens per concurrent request.
    pub(crate) endpoint: u64,
    /// Concurrent, of a lane.
    pub(crate) polls: u64,
    /// Of all lanes.
    pub(crate) sockets: u64,
}

impl FileDemand {
    /// Open files with `in_flight` concurrent requests per lane.
    fn needs(&self, in_flight: u32) -> u64 {
        let endpoint = self.lanes * u64::from(in_flight).min(self.requests) * self.endpoint;
        self.sockets + self.at_once(in_flight) * FILES_PER_REQUEST + endpoint
    }

    /// Concurrent orders and polls of all lanes, with `in_flight` concurrent orders per lane.
    pub(crate) fn at_once(&self, in_flight: u32) -> u64 {
        let orders = u64::from(in_flight).min(self.requests);
        self.lanes * (orders + self.polls.min(orders))
    }

    /// Most concurrent requests per lane: the value of `option`, or else what the limit of open files allows.
    ///
    /// # Errors
    /// The limit does not allow the chosen value, or any load.
    pub(crate) fn in_flight(&self, option: &str, chosen: Option<u32>, notify: fn(&str)) -> anyhow::Result<u32> {
        let Some(limit) = getrlimit(Resource::Nofile).current else { return Ok(chosen.unwrap_or(IN_FLIGHT)) };
        let (in_flight, notice) = self.in_flight_within(limit, open_now(), option, chosen)?;
        if let Some(notice) = notice {
            notify(&notice);
        }
        Ok(in_flight)
    }

    fn in_flight_within(
        &self,
        limit: u64,
        open: u64,
        option: &str,
        chosen: Option<u32>,
    ) -> anyhow::Result<(u32, Option<String>)> {
        let wanted = chosen.unwrap_or(IN_FLIGHT);
        let others = open + HELD + BESIDES;
        let fits = |in_flight: &u32| others + self.needs(*in_flight) <= limit;
        if fits(&wanted) {
            return Ok((wanted, None));
        }
        let more = format!(
            "run `ulimit -n {}` first, as root if the hard limit (`ulimit -Hn`) is lower",
            others + self.needs(wanted)
        );
        match (1..wanted).rev().find(fits) {
            None => bail!("This process may open {limit} files, too few for the load: {more}"),
            Some(most) if chosen.is_some() => bail!(
                "This process may open {limit} files, too few for {option} {wanted}: {more}. Or pass {option} {most}"
            ),
            Some(most) => {
                let notice = format!(
                    "This process may open {limit} files: at most {most} concurrent requests per lane, \
                     not {wanted}. For more, {more}."
                );
                Ok((most, Some(notice)))
            }
        }
    }
}

/// Open files; a guess if the system does not list them.
fn open_now() -> u64 {
    const GUESS: usize = 16;
    let listed = fs::read_dir("/dev/fd").map_or(GUESS, Iterator::count);
    listed.try_into().unwrap_or(u64::MAX)
}

/// Reserved files for the work after the load.
pub(crate) struct Held(#[expect(dead_code, reason = "held")] Vec<File>);

impl Held {
    pub(crate) fn new() -> Self {
        Self((0..HELD).map_while(|_| File::open("/dev/null").ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: FileDemand = FileDemand { lanes: 1, requests: 10_000, endpoint: 0, polls: 0, sockets: 0 };

    fn within(demand: FileDemand, limit: u64, chosen: Option<u32>) -> anyhow::Result<(u32, Option<String>)> {
        demand.in_flight_within(limit, 12, "--max-in-flight", chosen)
    }

    #[test]
    fn a_value_that_fits_is_kept() {
        for (demand, limit, chosen, expected) in [
            (DEMAND, 3076, None, 1000),
            (DEMAND, 3076, Some(1000), 1000),
            (DEMAND, 136, Some(20), 20),
            // The number of requests limits the number of connections.
            (FileDemand { requests: 20, ..DEMAND }, 136, None, 1000),
        ] {
            let (in_flight, notice) = within(demand, limit, chosen).expect("it fits");

            assert_eq!((in_flight, notice), (expected, None), "{demand:?}");
        }
    }

    #[test]
    fn the_default_is_reduced_with_a_notice_if_it_does_not_fit() {
        for (demand, expected) in [
            (DEMAND, 60),
            (FileDemand { lanes: 2, ..DEMAND }, 30),
            (FileDemand { endpoint: 2, ..DEMAND }, 36),
            (FileDemand { polls: 100, ..DEMAND }, 30),
            (FileDemand { sockets: 60, ..DEMAND }, 40),
        ] {
            let (in_flight, notice) = within(demand, 256, None).expect("some fit");

            assert_eq!(in_flight, expected, "{demand:?}");
            assert!(notice.is_some_and(|notice| notice.contains("`ulimit -n ")), "{demand:?}");
        }
        let (_, notice) = within(DEMAND, 256, None).expect("some fit");
        assert_eq!(
            notice.expect("there is a notice"),
            "This process may open 256 files: at most 60 concurrent requests per lane, not 1000. For \
             more, run `ulimit -n 3076` first, as root if the hard limit (`ulimit -Hn`) is lower."
        );
    }

    #[test]
    fn a_chosen_value_that_does_not_fit_is_refused() {
        let refused = within(DEMAND, 256, Some(300)).expect_err("it does not fit").to_string();
        let sockets = FileDemand { sockets: 10_000, ..DEMAND };
        let hopeless = within(sockets, 256, None).expect_err("nothing fits").to_string();

        assert_eq!(
            refused,
            "This process may open 256 files, too few for --max-in-flight 300: run `ulimit -n 976` first, as root \
             if the hard limit (`ulimit -Hn`) is lower. Or pass --max-in-flight 60"
        );
        assert!(hopeless.contains("too few for the load: run `ulimit -n 13076` first"), "{hopeless}");
    }
}
