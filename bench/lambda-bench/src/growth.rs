//! Whether the cost of an order grows with the number of orders and owners, and the cost of each item.

use crate::backend::{Backend, Behaviour};
use crate::events::{BATCH, WHOLE_BATCH};
use crate::process::Process;
use crate::records::Records;
use crate::runtime_api::RuntimeApi;
use crate::series::{float, progress};
use crate::subject::{self, Subject};
use anyhow::Context;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Orders so far.
const ORDERS: [u32; 4] = [10, 1_000, 10_000, 100_000];

/// Owners so far, each with an open socket and one order.
const OWNERS: [u32; 4] = [10, 100, 1_000, 10_000];

/// Items of an order.
const ITEMS: [usize; 3] = [1, 10, 100];

/// Of each point of the series about items.
const INVOCATIONS: u32 = 1_000;

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Point {
    /// Orders or owners so far, or items of an order.
    pub(crate) at: u32,
    /// Mean processor time of an order since the previous point, in microseconds.
    pub(crate) processor_us: f64,
    /// Its mean time, in microseconds. Orders are sent one after the other.
    pub(crate) took_us: f64,
    /// So far, in KiB.
    pub(crate) peak_memory_kib: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) subject: &'static str,
    pub(crate) of: &'static str,
    pub(crate) points: Vec<Point>,
    /// Whether the cost should stay the same.
    pub(crate) is_flat: bool,
}

impl Growth {
    /// The last order's as a multiple of the first warm order's. `None` if it may grow.
    pub(crate) fn processor_time(&self) -> Option<f64> {
        let (warm, last) = self.warm_and_last()?;
        Some(last.processor_us / warm.processor_us)
    }

    /// The peak at the last order as a multiple of that at the first warm order. `None` if it may grow.
    pub(crate) fn memory(&self) -> Option<f64> {
        let (warm, last) = self.warm_and_last()?;
        Some(float(last.peak_memory_kib) / float(warm.peak_memory_kib))
    }

    fn warm_and_last(&self) -> Option<(&Point, &Point)> {
        self.points.get(1).zip(self.points.last()).filter(|_| self.is_flat)
    }

    /// Processor time of one more order, owner or item, in microseconds: the slope from the first warm point to the
    /// last.
    pub(crate) fn slope_us(&self) -> f64 {
        let warm: Vec<&Point> = self.points.iter().skip(usize::from(self.is_flat)).collect();
        match (warm.first(), warm.last()) {
            (Some(first), Some(last)) if last.at > first.at => {
                (last.processor_us - first.processor_us) / f64::from(last.at - first.at)
            }
            _ => 0.0,
        }
    }
}

/// Measures all series.
///
/// # Errors
/// A function fails.
pub(crate) async fn measure(bootstraps: &Path, records: &Arc<Records>, folder: &Path) -> anyhow::Result<Vec<Growth>> {
    let backend = Backend::start(Behaviour::default(), records).await?;
    let create = subject::create_order(bootstraps, 1)?;
    let worker = subject::whole_batches(bootstraps, OWNERS[OWNERS.len() - 1] as usize / BATCH)?;
    let mut items = Vec::new();
    for count in ITEMS {
        progress(&format!("growth: orders of {count} items"));
        let subject = subject::create_order(bootstraps, count)?;
        let points = series(&subject, &backend, &[INVOCATIONS / 10, INVOCATIONS], folder).await?;
        let at = u32::try_from(count)?;
        items.extend(points.last().map(|point| Point { at, ..*point }));
    }
    progress("growth: 100 000 orders");
    let orders = series(&create, &backend, &ORDERS, folder).await?;
    progress("growth: 10 000 owners");
    let owners = series(&worker, &backend, &OWNERS, folder).await?;
    Ok(vec![
        Growth { subject: "create-order", of: "orders so far", points: orders, is_flat: true },
        Growth { subject: WHOLE_BATCH, of: "owners so far, each with a socket", points: owners, is_flat: true },
        Growth { subject: "create-order", of: "items of an order", points: items, is_flat: false },
    ])
}

/// Measures one process at each mark. A mark is the number of orders so far.
async fn series(subject: &Subject, backend: &Backend, marks: &[u32], folder: &Path) -> anyhow::Result<Vec<Point>> {
    let measured = async {
        let mut api = RuntimeApi::start().await?;
        let process = Process::start(&subject.command, &subject.environment(&api.address(), backend, folder)?)?;
        api.polled().await?;
        let (mut done, mut points) = (0, Vec::new());
        for mark in marks {
            let (before, began, orders) = (process.processor()?, Instant::now(), mark - done);
            while done < *mark {
                api.invoke(subject.event(done / subject.orders)).await?;
                done += subject.orders;
            }
            api.polled().await?;
            let of_each = |time: Duration| time.as_secs_f64() * 1e6 / float(u64::from(orders));
            points.push(Point {
                at: *mark,
                processor_us: of_each(process.processor()?.saturating_sub(before)),
                took_us: of_each(began.elapsed()),
                peak_memory_kib: process.peak_memory_kib()?,
            });
        }
        anyhow::Ok(points)
    };
    measured.await.with_context(|| format!("Failed to measure the growth of {}", subject.name))
}
