//! The `seareeve` binary: arguments and printing, nothing else.

mod allocator;
mod args;
mod commands;
mod content;
mod detect;
mod ending;
mod input;
mod judge;
mod output;
mod settings;
mod surroundings;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::commands::Outcome;
use crate::surroundings::Surroundings;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return output::usage(&error),
    };
    let messages = output::Messages::new(args.quiet);
    match run(&args, &messages) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            messages.error(&error);
            Outcome::Failed.exit_code()
        }
    }
}

/// Whether it goes on until it is told to stop, so that its log is all that is seen of it.
fn is_service(command: &Command) -> bool {
    match command {
        Command::Up(_) | Command::Sensor(_) => true,
        Command::Admission(admission) => admission.command.is_none(),
        _ => false,
    }
}

fn run(args: &Args, messages: &output::Messages) -> anyhow::Result<Outcome> {
    let loaded = settings::load(
        args.config.as_deref(),
        std::env::vars_os(),
        &args.overrides(),
    )?;
    output::log::start(&loaded.config.log, args.debug, is_service(&args.command))?;
    let surroundings = || Surroundings::from_variables(std::env::vars_os());
    match &args.command {
        Command::Image(image) => {
            commands::image::run(image, &loaded.config, &surroundings()?, messages)
        }
        Command::Sbom(sbom) => {
            commands::sbom::run(sbom, &loaded.config, &surroundings()?, messages)
        }
        Command::Docker(docker) => {
            commands::docker::run(docker, &loaded.config, &surroundings()?, messages)
        }
        Command::K8s(k8s) => commands::k8s::run(k8s, &surroundings()?, messages),
        Command::Admission(admission) => {
            commands::admission::run(admission, &loaded.config, &surroundings()?, messages)
        }
        Command::Azure(azure) => commands::azure::run(azure, &surroundings()?, messages),
        Command::Check(check) => commands::check::run(check, &surroundings()?, messages),
        Command::Detect(detect) => commands::detect::run(detect, messages),
        Command::Rules(rules) => commands::rules::run(rules, messages),
        Command::Db(db) => commands::db::run(db, &loaded.config, &surroundings()?, messages),
        Command::Up(_) => commands::up::run(loaded.config, messages),
        Command::Sensor(sensor) => {
            commands::sensor::run(sensor, &loaded.config, &surroundings()?, messages)
        }
        Command::Server(server) => commands::server::run(server, &surroundings()?, messages),
        Command::Simulate(simulate) => {
            commands::simulate::run(simulate, &surroundings()?, messages)
        }
        Command::User(user) => commands::user::run(user, loaded.config, messages),
        Command::Doctor => commands::doctor::run(&loaded, messages),
        Command::Config(config) => commands::config::run(config, &loaded),
        Command::Completions(shell) => commands::generate::completions(shell.shell),
        Command::Man(man) => commands::generate::man(&man.folder),
        Command::Openapi => commands::generate::openapi(),
        Command::Schema(schema) => commands::generate::schema(schema),
        Command::Reference => commands::generate::reference(),
        Command::Starter(starter) => commands::generate::starter(&starter.folder),
    }
}
