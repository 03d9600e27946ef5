use lambda_support::environment::Environment;
use steps_sqs::Settings;

pub(crate) struct Config {
    pub(crate) step: Settings,
    pub(crate) parcels_per_day: u64,
    pub(crate) horizon_days: u32,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            step: Settings::from_env(environment),
            parcels_per_day: environment.number("SHIPMENTS_PER_DAY"),
            horizon_days: environment.number("SHIPMENT_HORIZON_DAYS"),
        }
    }
}
