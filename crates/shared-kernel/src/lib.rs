//! Types that the domains of all services share. Services depend on this crate and not on each other. No AWS, no JSON,
//! no clock.

mod error_chain;
mod fingerprint;
mod identity;
mod item;
mod money;
mod repository_error;
mod step;
mod timestamp;
mod violation;

pub use error_chain::ErrorChain;
pub use fingerprint::Fingerprint;
pub use identity::{InvalidOrderId, InvalidOwner, OrderId, Owner};
pub use item::{Item, Quantity, Sku};
pub use money::{Currency, UnitPrice};
pub use repository_error::RepositoryError;
pub use step::{Step, Vote};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use violation::{Violation, Violations};
