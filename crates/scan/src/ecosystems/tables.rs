//! Lock files in TOML. All tools write them alike: one `[[package]]` after the other, each header at the start of
//! a line. So one is parsed at a time: memory does not grow with the file, and a broken one costs itself only.

use serde::Deserialize;

use super::faults;
use super::found::{Found, Limited};
use super::loose::Record;

/// Bytes of one package's entry. Those with wheels for many machines reach 100 KB.
const LONGEST_ENTRY: usize = 1 << 20;
/// Entries of one file. The largest real ones have some 5,000.
const MOST_ENTRIES: usize = 100_000;

/// Hands out the entries of the list of tables called `list`, which is `package` or `packages`.
pub(super) fn toml<'de, T, F>(
    content: &'de [u8],
    list: &str,
    found: &mut Found<'_>,
    mut each: F,
) -> Result<(), Limited>
where
    T: Deserialize<'de>,
    F: FnMut(&mut Found<'_>, T) -> Result<(), Limited>,
{
    let content = match std::str::from_utf8(content) {
        Ok(content) => content,
        Err(error) => {
            found.problem(format!("failed to read the file: {error}"));
            return Ok(());
        }
    };
    let entries = entries(content, list);
    if entries.len() > MOST_ENTRIES {
        found.problem(format!(
            "{list} has more than {MOST_ENTRIES} entries: the rest was left out"
        ));
    }
    for entry in entries.into_iter().take(MOST_ENTRIES) {
        if entry.len() > LONGEST_ENTRY {
            let size = entry.len();
            found.problem(format!(
                "an entry of {list} has {size} bytes, more than {LONGEST_ENTRY}"
            ));
            continue;
        }
        match toml::from_str::<Document<T>>(entry) {
            Ok(document) => {
                for Record(package) in document.package {
                    match package {
                        Some(package) => each(found, package)?,
                        None => found.problem(format!("an entry of {list} is no table")),
                    }
                }
            }
            Err(error) => found.problem(format!(
                "failed to read an entry of {list}: {} of it",
                faults::toml(&error, entry)
            )),
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Document<T> {
    #[serde(alias = "packages", default = "Vec::new")]
    package: Vec<Record<T>>,
}

/// The texts of the entries, each with its header and its own tables, up to one more than we read; the whole file
/// if none has a header on a line of its own, as in `package = [{name = "x"}]`.
fn entries<'a>(content: &'a str, list: &str) -> Vec<&'a str> {
    let header = format!("[[{list}]]");
    let (own_table, own_list) = (format!("[{list}."), format!("[[{list}."));
    let mut entries = Vec::new();
    let (mut start, mut at) = (None, 0);
    for line in content.split_inclusive('\n') {
        let is_header = line.starts_with(&header);
        let is_foreign =
            line.starts_with('[') && !line.starts_with(&own_table) && !line.starts_with(&own_list);
        if is_header || is_foreign {
            entries.extend(start.and_then(|start| content.get(start..at)));
            start = is_header.then_some(at);
        }
        if entries.len() > MOST_ENTRIES {
            return entries;
        }
        at += line.len();
    }
    entries.extend(start.and_then(|start| content.get(start..)));
    if entries.is_empty() {
        entries.push(content);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_headers_and_leaves_out_foreign_tables() {
        let content = "version = 1\n[[package]]\na\n[package.source]\nb\n[[package.x]]\nc\n[[package]]\nd\n[metadata]\ne\n[[package]]\nf";
        assert_eq!(
            entries(content, "package"),
            [
                "[[package]]\na\n[package.source]\nb\n[[package.x]]\nc\n",
                "[[package]]\nd\n",
                "[[package]]\nf",
            ]
        );
        assert_eq!(entries("package = []", "package"), ["package = []"]);
    }
}
