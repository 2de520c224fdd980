//! What the server tells a waiting UI (server-sent events on `/api/v1/events`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Scan;

/// Something changed. Each event has an id; a client that comes back with `Last-Event-ID` gets what it missed,
/// or `reset` when that is no longer known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A scan moved on.
    Scan {
        /// Its state now.
        scan: Scan,
    },
    /// Stored images or findings changed: lists may be asked for again.
    Images,
    /// What is said of hosts, recommendations or the score changed.
    Posture,
    /// Alerts or incidents came, or what people say of them changed.
    Alerts,
    /// A back-test moved on.
    Backtests,
    /// The advisory database was replaced, or matching against it began or ended.
    Database,
    /// Events were missed: everything may have changed.
    Reset,
}
