//! The progress bar on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts bytes; invisible where nobody looks.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(super) fn new(quiet: bool) -> Self {
        // indicatif itself hides the bar when standard error is not a terminal.
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(8)
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{msg} {bytes:>10} {wide_bar:.cyan} {eta:>4}");
        bar.set_style(style.unwrap_or_else(|_invalid| ProgressStyle::default_bar()));
        Self { bar }
    }

    /// Shows where we are; `what` must be our own text.
    pub(crate) fn show(&self, what: String, done: u64, total: Option<u64>) {
        if self.bar.message() != what {
            self.bar.set_message(what);
        }
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
