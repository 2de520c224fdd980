//! `seareeve up`.

use anyhow::Context as _;
use seareeve_server::Server;
use seareeve_server::config::Config;

use crate::allocator;
use crate::commands::Outcome;
use crate::output::{self, Messages};

pub(crate) fn run(config: Config, messages: &Messages) -> anyhow::Result<Outcome> {
    allocator::share();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let ended = runtime.block_on(async {
        let server = Server::start(config).await?;
        // A result, not a message: scripts and `cargo xtask test` read it.
        let sign_in = match server.sign_in_link() {
            Some(link) => format!("Open {link} to sign in (once, within an hour)"),
            None => "`seareeve user link admin`, here, makes a link to sign in with".to_owned(),
        };
        output::result(
            None,
            &format!("Seareeve is up at {}\n{sign_in}\n", server.address()),
        )?;
        messages.note("Ctrl-C stops it");
        server.run_until_stopped().await
    });
    // Work that cannot be interrupted (a build of the advisory database) ends with the process; it leaves nothing
    // that is half done in a place where anybody looks.
    runtime.shutdown_background();
    ended?;
    messages.note("stopped");
    Ok(Outcome::Done)
}
