//! JSON, as programs read it and as it may stand on a terminal.

use super::turns;

/// A result: indented, one line feed at the end.
pub(crate) fn text(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let mut text = printable(&serde_json::to_string_pretty(value)?);
    text.push('\n');
    Ok(text)
}

/// The same JSON with those characters written as `\uXXXX` that JSON lets stand as they are, but that a terminal takes
/// for commands, or that turn the direction of what follows.
pub(super) fn printable(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if matches!(c, '\u{7f}'..='\u{9f}') || turns(c) => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}
