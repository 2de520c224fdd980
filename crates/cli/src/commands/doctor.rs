//! `seareeve doctor`: checks this machine and its settings, and names the remedy for each problem.

use std::fmt::Write as _;

use seareeve_server::config::Config;

use crate::commands::{Outcome, db};
use crate::output::{self, Messages};
use crate::settings::Loaded;

/// What one check found.
struct Check {
    name: &'static str,
    state: State,
    /// What was seen, and for anything but `Fine` the remedy.
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fine,
    Warning,
    Broken,
}

pub(crate) fn run(loaded: &Loaded, _messages: &Messages) -> anyhow::Result<Outcome> {
    let config = &loaded.config;
    let settings = match &loaded.file {
        Some(file) => format!("{file} and the environment are understood"),
        None => "no file; the environment is understood".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let checks = [
        Check {
            name: "settings",
            state: State::Fine,
            text: settings,
        },
        data_folder(config),
        runtime.block_on(store(config)),
        advisories(config),
        port(config),
        certificate(config),
    ];
    let mut text = String::new();
    for check in &checks {
        let (word, style) = match check.state {
            State::Fine => ("ok     ", anstyle::AnsiColor::Green.on_default()),
            State::Warning => ("warning", anstyle::AnsiColor::Yellow.on_default()),
            State::Broken => ("broken ", anstyle::AnsiColor::Red.on_default()),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{style}{word}{style:#}  {:<12} {}",
            check.name,
            output::safe(&check.text)
        );
    }
    output::result(None, &text)?;
    let broken = checks.iter().any(|check| check.state == State::Broken);
    Ok(if broken {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

fn data_folder(config: &Config) -> Check {
    let folder = &config.server.data_dir;
    let (state, text) = match seareeve_server::make_private_folder(folder) {
        Ok(()) => (State::Fine, folder.to_string()),
        Err(error) => (
            State::Broken,
            format!("{error:#}: choose another with --data-dir or SEAREEVE_SERVER_DATA_DIR"),
        ),
    };
    Check {
        name: "data folder",
        state,
        text,
    }
}

async fn store(config: &Config) -> Check {
    let (state, text) = match seareeve_server::check_store(config).await {
        Ok(text) => (State::Fine, text),
        Err(error) => (
            State::Broken,
            format!("{error:#}: see server.database in `seareeve config show`"),
        ),
    };
    Check {
        name: "store",
        state,
        text,
    }
}

fn advisories(config: &Config) -> Check {
    let (state, text) = match db::open(None, config).and_then(|database| {
        database.verify()?;
        Ok(database.info())
    }) {
        Err(error) => (State::Broken, format!("{error:#}")),
        Ok(info) => {
            let days = db::age_days(&info, jiff::Timestamp::now());
            match info.kind {
                seareeve_model::DatabaseKind::Starter => (
                    State::Warning,
                    format!(
                        "only the built-in starter set of {} advisories: run seareeve db update",
                        info.advisories
                    ),
                ),
                seareeve_model::DatabaseKind::Full if days > db::OLD_DAYS => (
                    State::Warning,
                    format!("{days} days old: run seareeve db update"),
                ),
                seareeve_model::DatabaseKind::Full => (
                    State::Fine,
                    format!("{} advisories, {days} days old", info.advisories),
                ),
            }
        }
    };
    Check {
        name: "advisories",
        state,
        text,
    }
}

/// Days before its end at which a certificate is worth a word.
const SOON: i64 = 14;

fn certificate(config: &Config) -> Check {
    let server = &config.server;
    let (state, text) = match seareeve_server::check_certificate(config) {
        Err(error) => (State::Broken, format!("{error:#}")),
        Ok(None) if server.behind_proxy => (
            State::Fine,
            "none: the proxy in front ends TLS (server.behind_proxy)".to_owned(),
        ),
        Ok(None) => (
            State::Fine,
            format!("none: only this machine reaches {}", server.listen),
        ),
        Ok(Some((names, until))) => {
            let names = names.join(", ");
            let left = until.duration_since(jiff::Timestamp::now());
            if left.is_negative() {
                let why = format!("expired at {until}: replace {}", server.certificate);
                (State::Broken, why)
            } else if left.as_hours() < 24 * SOON {
                let why = format!("ends at {until}: replace {} soon", server.certificate);
                (State::Warning, why)
            } else {
                (State::Fine, format!("for {names}, until {until}"))
            }
        }
    };
    Check {
        name: "certificate",
        state,
        text,
    }
}

fn port(config: &Config) -> Check {
    let listen = config.server.listen;
    let (state, text) = match std::net::TcpListener::bind(listen) {
        Ok(_) => (State::Fine, format!("{listen} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => (
            State::Warning,
            format!("{listen} is taken: by a running Seareeve, or choose another with --listen"),
        ),
        Err(error) => (
            State::Broken,
            format!("{listen}: {error}: choose another with --listen"),
        ),
    };
    Check {
        name: "address",
        state,
        text,
    }
}
