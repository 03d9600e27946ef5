//! The wire format of payments. Clients depend on every shape here. `infra/openapi.yaml` describes the same shapes.

mod payment_body;
mod payment_view;

pub use payment_body::{MAX_BODY_BYTES, parse_payment_body};
pub use payment_view::PaymentView;
