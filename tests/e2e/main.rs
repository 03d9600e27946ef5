//! A deployed stack from outside: its public URLs, and the public AWS APIs of its queue and tables.
//!
//! `TWOLANE_OUTPUTS` names the file with the stack's outputs; the default is the nearest `.local/outputs.json`. Region,
//! credentials and endpoint come from the environment. All orders have new ids, so tests run concurrently and
//! repeatedly, on any account.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

mod async_lane;
mod bad_bodies;
mod bus_callbacks;
mod bus_lane;
mod cors;
mod hostile_bodies;
mod hostile_requests;
mod order_list;
mod order_socket;
mod owners;
mod payments;
mod poison_messages;
mod same_order;
mod samples;
mod sessions;
mod spellings;
mod stock;
mod sync_lane;
mod terminal;
mod walkthrough;
mod websocket;
