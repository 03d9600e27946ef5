//! Whether an order costs the same however many came before it, and what each of its items adds.

use crate::backend::{Backend, Manners};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::series::{float, tell};
use crate::subject::{self, BATCH, Subject};
use anyhow::Context;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// Orders after which it is looked at how a function does.
const ORDERS: [u32; 4] = [10, 1_000, 10_000, 100_000];

/// Owners, each with an open socket and one order, after which the worker is looked at.
const OWNERS: [u32; 4] = [10, 100, 1_000, 10_000];

/// Items of an order.
const ITEMS: [usize; 3] = [1, 10, 100];

/// Invocations by which an order of so many items is measured.
const INVOCATIONS: u32 = 1_000;

/// How a function does at one point of a series.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Point {
    /// Of what there are so many: orders so far, owners so far, items of an order.
    pub(crate) at: u32,
    /// Processor time of an order since the point before, in microseconds.
    pub(crate) cpu_us: f64,
    /// Time of an order since the point before, in microseconds, one after the other.
    pub(crate) took_us: f64,
    /// Most memory so far, in KiB.
    pub(crate) peak_memory_kib: u64,
}

/// A series of points.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    /// What grows.
    pub(crate) of: String,
    pub(crate) points: Vec<Point>,
    /// Whether an order must cost the same at each of them.
    pub(crate) is_flat: bool,
}

impl Growth {
    /// Processor time that one more costs, in microseconds: the line between the first point that is warm and the last.
    pub(crate) fn slope_us(&self) -> f64 {
        let warm: Vec<&Point> = self.points.iter().skip(usize::from(self.is_flat)).collect();
        match (warm.first(), warm.last()) {
            (Some(first), Some(last)) if last.at > first.at => {
                (last.cpu_us - first.cpu_us) / f64::from(last.at - first.at)
            }
            _ => 0.0,
        }
    }
}

/// Measures all series.
///
/// # Errors
/// A function fails.
pub(crate) async fn measure(bootstraps: &Path, folder: &Path) -> anyhow::Result<Vec<Growth>> {
    let backend = Backend::start(Manners::default(), None).await?;
    let create = subject::create_order(bootstraps, 1)?;
    let worker = subject::whole_batches(bootstraps, OWNERS[OWNERS.len() - 1] as usize / BATCH)?;
    let mut items = Vec::new();
    for count in ITEMS {
        tell(&format!("growth: orders of {count} items"));
        let subject = subject::create_order(bootstraps, count)?;
        let points = lives(&subject, &backend, &[INVOCATIONS / 10, INVOCATIONS], 1, folder).await?;
        let at = u32::try_from(count)?;
        items.extend(points.last().map(|point| Point { at, ..*point }));
    }
    tell("growth: 100 000 orders");
    let orders = lives(&create, &backend, &ORDERS, 1, folder).await?;
    tell("growth: 10 000 owners");
    let owners = lives(&worker, &backend, &OWNERS, u32::try_from(BATCH)?, folder).await?;
    Ok(vec![
        Growth { of: "create-order: orders so far".into(), points: orders, is_flat: true },
        Growth { of: "process-orders: owners so far, each with a socket".into(), points: owners, is_flat: true },
        Growth { of: "create-order: items of an order".into(), points: items, is_flat: false },
    ])
}

/// One life, looked at after so many orders, of which each invocation has `per_invocation`.
async fn lives(
    subject: &Subject,
    backend: &Backend,
    marks: &[u32],
    per_invocation: u32,
    folder: &Path,
) -> anyhow::Result<Vec<Point>> {
    let lived = async {
        let mut api = RuntimeApi::start().await?;
        let process = Process::start(&subject.command, &subject.environment(&api.address(), backend, folder))?;
        api.asked().await?;
        let (mut done, mut points) = (0, Vec::new());
        for mark in marks {
            let (before, began, orders) = (process.cpu()?, Instant::now(), mark - done);
            while done < *mark {
                api.invoke(subject.event(done / per_invocation)).await?;
                done += per_invocation;
            }
            api.asked().await?;
            let of_each = |time: Duration| time.as_secs_f64() * 1e6 / float(u64::from(orders));
            points.push(Point {
                at: *mark,
                cpu_us: of_each(process.cpu()?.saturating_sub(before)),
                took_us: of_each(began.elapsed()),
                peak_memory_kib: process.peak_memory_kib()?,
            });
        }
        anyhow::Ok(points)
    };
    lived.await.with_context(|| format!("Failed to measure the growth of {}", subject.name))
}
