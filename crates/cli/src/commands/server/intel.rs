//! Lists of threat intelligence of a server.

use std::fmt::Write as _;

use anyhow::bail;
use jiff::Timestamp;
use seareeve_api::{
    Client, IntelHeader, IntelList, IntelListChange, IntelSecret, IntelSettings, NewIntelList,
};

use crate::args::{IntelCommand, NewIntelArgs};
use crate::input;
use crate::output;

/// Bytes of a file that is uploaded.
const MOST_BYTES: usize = 64 << 20;

pub(super) fn run(client: &Client, command: &IntelCommand) -> anyhow::Result<()> {
    let shown = match command {
        IntelCommand::List => return list(client),
        IntelCommand::Show { id } => client.intel_list(*id)?,
        IntelCommand::Add(args) => client.create_intel_list(&new(args)?)?,
        IntelCommand::Upload { id, file } => {
            let content = input::file_or_stdin("list", file, MOST_BYTES)?;
            client.upload_intel_list(*id, &content)?
        }
        IntelCommand::Fetch { id } => client.fetch_intel_list(*id)?,
        IntelCommand::On { id } => switch(client, *id, true)?,
        IntelCommand::Off { id } => switch(client, *id, false)?,
        IntelCommand::Delete { id } => return Ok(client.delete_intel_list(*id)?),
    };
    output::result(None, &output::json::text(&shown)?)
}

fn switch(client: &Client, id: i64, is_on: bool) -> anyhow::Result<IntelList> {
    let change = IntelListChange {
        is_on: Some(is_on),
        every_hours: None,
    };
    Ok(client.change_intel_list(id, &change)?)
}

fn new(args: &NewIntelArgs) -> anyhow::Result<NewIntelList> {
    let value = match (&args.header_file, &args.header_variable) {
        (Some(file), _) => Some(IntelSecret::File { file: file.clone() }),
        (None, Some(variable)) => Some(IntelSecret::Variable {
            variable: variable.clone(),
        }),
        (None, None) => None,
    };
    let header = match (&args.header, value) {
        (None, _) => None,
        (Some(name), Some(value)) => Some(IntelHeader {
            name: name.clone(),
            value,
        }),
        (Some(_), None) => {
            bail!("say where the header's value is: --header-file or --header-variable")
        }
    };
    Ok(NewIntelList {
        name: args.name.clone(),
        settings: IntelSettings {
            address: args.address.clone(),
            format: args.format.clone(),
            column: args.column.clone(),
            separator: args.separator.clone(),
            header,
        },
        extends: args.extends.clone(),
        every_hours: args.every,
    })
}

fn list(client: &Client) -> anyhow::Result<()> {
    let all = client.intel_lists()?;
    let mut text = String::new();
    for list in &all.lists {
        let state = if list.is_on { "on" } else { "off" };
        let extends = if list.extends.is_empty() {
            "excludes".to_owned()
        } else {
            format!("extends {}", list.extends.join(", "))
        };
        let age = match list.succeeded {
            None => "nothing yet".to_owned(),
            Some(at) => {
                let hours = Timestamp::now().duration_since(at).as_hours().max(0);
                format!("{} entries, {hours} h old", list.entries)
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {state:3}  {}  {extends}  {age}",
            list.id,
            output::safe(&list.name)
        );
        if let Some(problem) = &list.problem {
            let _ = writeln!(text, "  {}", output::safe(problem));
        }
    }
    let _ = writeln!(text, "\nWhat lists may extend:");
    for named in &all.named {
        let _ = writeln!(
            text,
            "  {}  {} ({}): {} built in, {} added",
            named.name,
            named.title,
            named.takes.join(", "),
            named.own,
            named.added
        );
    }
    output::result(None, &text)
}
