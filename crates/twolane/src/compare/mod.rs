//! Both lanes under the same load, with figures one can trust.

pub(crate) mod args;
pub(crate) mod command;
mod cost;
mod deployed;
mod live;
mod measure;
mod owners;
pub(crate) mod report;
mod run_report;
mod scenario;
mod stack_settings;
mod workload;
