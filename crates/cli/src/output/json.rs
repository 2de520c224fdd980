//! JSON, as programs read it and as it may stand on a terminal.

use super::turns;

/// A result: indented, one line feed at the end.
pub(crate) fn text(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let mut text = printable(serde_json::to_string_pretty(value)?);
    text.push('\n');
    Ok(text)
}

/// The same JSON with those characters written as `\uXXXX` that JSON lets stand as they are, but that a terminal takes
/// for commands, or that turn the direction of what follows.
pub(super) fn printable(json: String) -> String {
    let harmful = |c: char| matches!(c, '\u{7f}'..='\u{9f}') || turns(c);
    // Nearly every line is plain, which is told many bytes at a time, and nearly no report needs a second copy: one
    // may have ten million bytes.
    let is_plain = |line: &str| line.is_ascii() && !line.as_bytes().contains(&0x7f);
    if json
        .split_inclusive('\n')
        .all(|line| is_plain(line) || !line.contains(harmful))
    {
        return json;
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if harmful(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
