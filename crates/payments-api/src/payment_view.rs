use payments::{Payment, PaymentStatus};
use serde::{Deserialize, Serialize};

/// A payment as a response's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// The payment's id.
    pub payment_id: String,
    /// `CAPTURED` or `DECLINED`.
    pub status: String,
    /// ISO 4217 code.
    pub currency: String,
    /// In minor units of the currency.
    pub amount_minor: u64,
    /// When it was first requested, RFC 3339.
    pub created_at: String,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<&Payment> for PaymentView {
    fn from(payment: &Payment) -> Self {
        let (status, reason) = match &payment.status {
            PaymentStatus::Captured => ("CAPTURED", None),
            PaymentStatus::Declined(reason) => ("DECLINED", Some(reason.clone())),
        };
        Self {
            payment_id: payment.id.to_string(),
            status: status.to_owned(),
            currency: payment.amount.currency().code().to_owned(),
            amount_minor: payment.amount.minor_units(),
            created_at: payment.created_at.to_string(),
            reason,
        }
    }
}
