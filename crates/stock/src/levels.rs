use holds::{CounterKey, HoldRepository};
use shared_kernel::{RepositoryError, Sku};

/// The counter of a SKU's units.
#[must_use]
pub fn counter(sku: &Sku) -> CounterKey {
    CounterKey::new(sku.as_str())
}

/// Units of a SKU that no order holds. `None` if the service has no such SKU.
///
/// # Errors
/// Those of the repository.
pub async fn units_left<R: HoldRepository>(holds: &R, sku: &Sku) -> Result<Option<u64>, RepositoryError> {
    holds.available(&counter(sku)).await
}
