//! The scans that run in this process: how far they are, and the switch that stops them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use seareeve_api::ScanProgress;

/// Progress and stop switches by scan id.
#[derive(Default)]
pub(crate) struct Running {
    scans: Mutex<BTreeMap<i64, Entry>>,
}

struct Entry {
    progress: ScanProgress,
    stop: Arc<AtomicBool>,
}

impl Running {
    /// Begins a scan; the answer is its stop switch.
    pub(crate) fn begin(&self, scan: i64) -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        self.lock().insert(
            scan,
            Entry {
                progress: ScanProgress::default(),
                stop: Arc::clone(&stop),
            },
        );
        stop
    }

    /// Notes how far a scan is.
    pub(crate) fn advance(&self, scan: i64, progress: ScanProgress) {
        if let Some(entry) = self.lock().get_mut(&scan) {
            entry.progress = progress;
        }
    }

    /// Asks a scan to stop, if it runs here.
    pub(crate) fn stop(&self, scan: i64) {
        if let Some(entry) = self.lock().get(&scan) {
            entry.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Asks all scans to stop: the process ends.
    pub(crate) fn stop_all(&self) {
        self.lock()
            .values()
            .for_each(|entry| entry.stop.store(true, Ordering::Relaxed));
    }

    /// How far a scan is.
    pub(crate) fn progress(&self, scan: i64) -> Option<ScanProgress> {
        self.lock().get(&scan).map(|entry| entry.progress.clone())
    }

    /// Forgets a scan that ended.
    pub(crate) fn end(&self, scan: i64) {
        self.lock().remove(&scan);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, Entry>> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
