//! `seareeve user`.

use seareeve_server::config::Config;

use crate::args::UserCommand;
use crate::commands::Outcome;
use crate::output::{self, Messages};

pub(crate) fn run(
    command: &UserCommand,
    config: Config,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let UserCommand::Link {
        name,
        reset_password,
    } = command;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let path = runtime.block_on(seareeve_server::sign_in_path(
        &config,
        name,
        *reset_password,
    ))?;
    messages.note("Put this behind the server's address. It works once, within an hour.");
    output::result(None, &format!("{path}\n"))?;
    Ok(Outcome::Done)
}
