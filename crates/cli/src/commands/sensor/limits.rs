//! What the sensor takes of its machine at most.

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use tracing::warn;

/// How far it stands back behind everybody else.
const NICENESS: i32 = 10;

/// Sets them, for this process and for good. Where the system refuses, the sensor runs without.
pub(super) fn set(memory_mib: u64) {
    if let Err(error) = nice(NICENESS) {
        warn!(%error, "the sensor could not step back behind other programs");
    }
    let bytes = memory_mib.saturating_mul(1 << 20);
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    if let Err(error) = setrlimit(Resource::Data, limit) {
        warn!(%error, "the sensor's memory could not be limited");
    }
}
