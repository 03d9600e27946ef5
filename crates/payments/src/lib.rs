//! The payments domain: accounts and payments. No AWS, no serde, no I/O.
//!
//! An owner has one account for each currency. [`authorize_order()`] takes money for the step `payment` of a bus order,
//! [`capture_payment()`] for a caller who waits.

mod amount;
mod authorize_order;
mod capture_payment;
mod charge;
mod payment_id;

pub use amount::Amount;
pub use authorize_order::authorize_order;
pub use capture_payment::{Capture, Payment, PaymentStatus, capture_payment, find_payment};
pub use payment_id::{InvalidPaymentId, PaymentId};
