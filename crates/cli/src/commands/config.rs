//! `seareeve config`.

use std::fmt::Write as _;

use seareeve_server::config::{Config, SETTINGS};
use toml::{Table, Value};

use crate::args::ConfigCommand;
use crate::commands::Outcome;
use crate::output;
use crate::settings::{Loaded, variable_of};

pub(crate) fn run(command: &ConfigCommand, loaded: &Loaded) -> anyhow::Result<Outcome> {
    let text = match command {
        ConfigCommand::Show => show(loaded)?,
        ConfigCommand::Reference => reference()?,
    };
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

fn show(loaded: &Loaded) -> anyhow::Result<String> {
    let table = Table::try_from(&loaded.config)?;
    let mut text = String::new();
    for setting in &SETTINGS {
        let origin = loaded
            .origin
            .get(setting.key)
            .map_or("default", String::as_str);
        let shown = match setting.key {
            // It may hold a password.
            "server.database" => format!("{:?}", loaded.config.server.database),
            "audit.nats" => format!("{:?}", loaded.config.audit.nats),
            key => value(&table, key),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} = {shown}  # {origin}", setting.key);
    }
    Ok(text)
}

fn reference() -> anyhow::Result<String> {
    let defaults = Table::try_from(Config::default())?;
    let mut text = "# Settings\n\nFrom a file (`--config`, `SEAREEVE_CONFIG`, or `seareeve/config.toml` in the configuration folder, \
        usually `~/.config`), then from environment variables, then from flags: the last one wins. Unknown names are errors. \
        `seareeve config show` prints what is in force and where it came from.\n\n\
        | Setting | Environment variable | Default | Meaning |\n|---|---|---|---|\n"
        .to_owned();
    for setting in &SETTINGS {
        let default = match setting.key {
            "server.data_dir" => {
                "`$XDG_DATA_HOME/seareeve`, usually `~/.local/share/seareeve`".to_owned()
            }
            key => format!("`{}`", value(&defaults, key)),
        };
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {default} | {} |",
            setting.key,
            variable_of(setting.key),
            setting.about
        );
    }
    Ok(text)
}

fn value(table: &Table, key: &str) -> String {
    let (section, name) = key.split_once('.').unwrap_or((key, ""));
    table
        .get(section)
        .and_then(|section| section.get(name))
        .map(Value::to_string)
        .unwrap_or_default()
}
