//! What AWS creates of the template under every set of parameters: calls, addresses, permissions and alarms.

mod alarms_and_logs;
mod bus;
mod callbacks;
mod deployments;
mod domains;
mod environments;
mod integrations;
mod invocations;
mod order_listing;
mod page;
mod references;
mod roles;
mod websocket;
