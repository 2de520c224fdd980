//! JSON values as YAML that people can read: no more than policies need.

use serde_json::Value;

/// A value as one document of YAML.
#[must_use]
pub fn document(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

/// Lines of a comment.
pub(crate) fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (name, value) in entries {
                text.push_str(&format!("{indent}{}:", scalar(name)));
                behind(value, depth, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                write(item, depth.saturating_add(1), &mut inner);
                // The first line stands behind the dash.
                let first = "  ".repeat(depth.saturating_add(1));
                let inner = inner.strip_prefix(&first).unwrap_or(&inner);
                text.push_str(&format!("{indent}- {inner}"));
            }
        }
        other => text.push_str(&format!("{indent}{}\n", plain(other))),
    }
}

/// What stands behind a name and its colon.
fn behind(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            text.push('\n');
            write(value, depth.saturating_add(1), text);
        }
        Value::Array(items) if !items.is_empty() => {
            let are_words = items.iter().all(Value::is_string);
            if are_words {
                let words: Vec<String> = items.iter().map(plain).collect();
                text.push_str(&format!(" [{}]\n", words.join(", ")));
            } else {
                text.push('\n');
                write(value, depth.saturating_add(1), text);
            }
        }
        other => text.push_str(&format!(" {}\n", plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        // Empty lists and maps, numbers, truth values: JSON is YAML.
        other => other.to_string(),
    }
}

/// Words as they are, all else in JSON's quotes, which are YAML's, too.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    let means_more = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&text.to_ascii_lowercase().as_str());
    if is_word && !means_more {
        return text.to_owned();
    }
    Value::String(text.to_owned()).to_string()
}
