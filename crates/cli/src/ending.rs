//! Ending when told to. For process 1 of a container the kernel does nothing by itself when it gets SIGTERM, so a pod
//! that is taken away would be waited for until its grace is over.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// While it is kept, SIGTERM and SIGINT end the process at once: it has nothing to put away.
#[derive(Debug)]
pub(crate) struct Ending(Arc<AtomicBool>);

impl Ending {
    /// From now on.
    ///
    /// # Errors
    /// When the system has no thread, or no place for a handler.
    pub(crate) fn at_once() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let within = runtime.enter();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        drop(within);
        let is_meant = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&is_meant);
        let wait = move || {
            runtime.block_on(async {
                loop {
                    // Who asks it to end, as service managers do, is given what he asked for.
                    let code = tokio::select! {
                        _ = terminate.recv() => 0,
                        _ = interrupt.recv() => 130,
                    };
                    if asked.load(Ordering::Acquire) {
                        leave(code);
                    }
                }
            });
        };
        std::thread::Builder::new()
            .name("ending".to_owned())
            .spawn(wait)?;
        Ok(Self(is_meant))
    }
}

/// From here on somebody else hears the signals.
impl Drop for Ending {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[expect(
    clippy::exit,
    reason = "the threads that have to end may be waiting for an answer"
)]
fn leave(code: i32) {
    std::process::exit(code);
}
