//! What the sensor takes of its machine at most.

use std::time::Duration;

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

/// The processor's time that this process has taken so far; zero where the system does not say.
pub(super) fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat)
        .and_then(|ticks| {
            let millis = ticks.checked_mul(1_000)?;
            millis.checked_div(rustix::param::clock_ticks_per_second())
        })
        .map(Duration::from_millis)
        .unwrap_or_default()
}

/// Fields 14 and 15 of `stat` (proc_pid_stat(5)); the name before them may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 1 0 55 0 0";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks(""), None);
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
