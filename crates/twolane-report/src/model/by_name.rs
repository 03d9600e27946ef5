//! (De)serializes a lane by its name.

use lanes::Lane;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn serialize<S: Serializer>(lane: &Lane, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(lane.name)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Lane, D::Error> {
    let name = String::deserialize(deserializer)?;
    lanes::lane(&name).ok_or_else(|| {
        let known = lanes::names().collect::<Vec<_>>().join(", ");
        D::Error::custom(format!("unknown lane {name}; this program knows {known}"))
    })
}
