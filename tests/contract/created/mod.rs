//! What AWS creates of the template, for every set of parameters: who calls whom, by which address, with which
//! permission, and what watches over it.

mod alarms_and_logs;
mod bus;
mod callbacks;
mod deployments;
mod environments;
mod integrations;
mod invocations;
mod order_listing;
mod page;
mod references;
mod roles;
mod websocket;
