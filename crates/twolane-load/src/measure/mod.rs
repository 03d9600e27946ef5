//! Measures a lane under load.

mod clocked;
mod histogram;
mod lane;
mod load;
mod owner_sockets;
mod polls;
mod queues;
mod reconcile;
mod result;
mod run;
mod tally;
mod usage;

pub(crate) use clocked::Clocked;
pub(crate) use polls::AT_ONCE as POLLS_AT_ONCE;
pub(crate) use run::{LaneRun, Loaded, Measured, Ready};
pub(crate) use tally::Tally;
