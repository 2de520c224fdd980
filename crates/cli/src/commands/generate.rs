//! What the program says about itself: completions, manual pages, schemas, references.

use std::fmt::Write as _;

use anyhow::Context as _;
use camino::Utf8Path;
use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::Value;

use crate::args::{Args, SchemaArgs, SchemaName};
use crate::commands::Outcome;
use crate::output;

pub(crate) fn completions(shell: Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "seareeve", &mut script);
    output::result(None, &String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}

pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
    // The version would make every release a change of every page.
    let command = Args::command()
        .version(None::<&str>)
        .disable_help_subcommand(true);
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("failed to write to {folder}"))?;
    Ok(Outcome::Done)
}

pub(crate) fn starter(folder: &Utf8Path) -> anyhow::Result<Outcome> {
    output::bytes(&seareeve_scan::starter::build(folder)?)?;
    Ok(Outcome::Done)
}

pub(crate) fn openapi() -> anyhow::Result<Outcome> {
    output::result(None, &seareeve_server::openapi_json()?)?;
    Ok(Outcome::Done)
}

pub(crate) fn schema(args: &SchemaArgs) -> anyhow::Result<Outcome> {
    let (title, name) = match args.name {
        SchemaName::Image => ("seareeve image --format json", "ImageReport"),
        SchemaName::Manifests => ("seareeve k8s --format json", "ManifestReport"),
        SchemaName::Posture => ("seareeve docker --format json", "PostureReport"),
    };
    output::result(None, &output::json::text(&json_schema(title, name)?)?)?;
    Ok(Outcome::Done)
}

/// Takes one schema with all it refers to out of the OpenAPI document: OpenAPI 3.1 schemas are JSON schemas of 2020-12.
fn json_schema(title: &str, name: &str) -> anyhow::Result<Value> {
    let document: Value = serde_json::from_str(&seareeve_server::openapi_json()?)?;
    let all = document
        .pointer("/components/schemas")
        .context("the OpenAPI document has no schemas")?;
    let mut definitions = serde_json::Map::new();
    let mut wanted = vec![name.to_owned()];
    while let Some(next) = wanted.pop() {
        if definitions.contains_key(&next) {
            continue;
        }
        let mut schema = all
            .get(&next)
            .with_context(|| format!("the OpenAPI document has no schema {next}"))?
            .clone();
        relocate(&mut schema, &mut wanted);
        definitions.insert(next, schema);
    }
    Ok(serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": format!("#/$defs/{name}"),
        "$defs": definitions,
    }))
}

fn relocate(value: &mut Value, wanted: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get_mut("$ref")
                && let Some(name) = target
                    .strip_prefix("#/components/schemas/")
                    .map(str::to_owned)
            {
                *target = format!("#/$defs/{name}");
                wanted.push(name);
            }
            object
                .values_mut()
                .for_each(|value| relocate(value, wanted));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| relocate(value, wanted)),
        _ => {}
    }
}

pub(crate) fn reference() -> anyhow::Result<Outcome> {
    let mut text = "# Command line\n".to_owned();
    section(
        &mut text,
        &mut Args::command()
            .term_width(100)
            .disable_help_subcommand(true),
        "seareeve",
    );
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

fn section(text: &mut String, command: &mut clap::Command, name: &str) {
    let help = command
        .clone()
        .bin_name(name)
        .render_long_help()
        .to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n## `{name}`\n\n```text\n{}\n```\n",
        lines.join("\n")
    );
    for sub in command
        .get_subcommands_mut()
        .filter(|sub| !sub.is_hide_set())
    {
        let name = format!("{name} {}", sub.get_name());
        section(text, sub, &name);
    }
}
