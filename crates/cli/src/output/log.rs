//! The log: `tracing` lines on standard error.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use seareeve_server::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging. One-shot commands log nothing unless asked; the server logs what its settings say.
pub(crate) fn start(config: &LogConfig, debug: bool, server: bool) -> anyhow::Result<()> {
    let level = match (debug, server) {
        (true, _) => "debug,hyper=info,rustls=info,ureq=info,sqlx=info",
        (false, true) => &config.level,
        (false, false) => "error",
    };
    let filter = EnvFilter::try_new(level)
        .with_context(|| format!("setting log.level: {level:?} is not a log filter"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Text => builder
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .init(),
    }
    Ok(())
}
