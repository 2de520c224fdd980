//! One entry on a line, with comments: how most lists come. Files of `hosts` and of TOR's exits are such, too.

use crate::reading::Collector;

/// Where names are sent that nobody is to reach.
const SINKS: [&str; 5] = ["0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255"];
/// Lines of TOR's list of exits that say something about the one before (`ExitNode`, `Published`, `LastStatus`).
const ABOUT_EXITS: [&str; 3] = ["ExitNode ", "Published ", "LastStatus "];

pub(crate) fn read(text: &str, collector: &mut Collector<'_>) {
    for line in text.lines() {
        let line = without_comment(line).trim();
        if line.is_empty() || ABOUT_EXITS.iter().any(|about| line.starts_with(about)) {
            continue;
        }
        // `ExitAddress 192.0.2.7 2026-01-01 00:00:00`
        if let Some(rest) = line.strip_prefix("ExitAddress ") {
            collector.word(rest.split_whitespace().next().unwrap_or_default());
            continue;
        }
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if SINKS.contains(&first) && line.len() > first.len() {
            for name in words.filter(|name| !is_local(name)) {
                collector.word(name);
            }
            continue;
        }
        collector.word(line.trim_matches(['"', '\'', ',']));
    }
}

/// `#` and `;` begin a comment where a word could; `//` only a line of it.
fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") || trimmed.starts_with('!') {
        return "";
    }
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if matches!(c, '#' | ';') && before.is_whitespace() {
            return line.get(..at).unwrap_or_default();
        }
        before = c;
    }
    line
}

/// Names of this machine, with which files of `hosts` begin.
fn is_local(name: &str) -> bool {
    matches!(
        name,
        "localhost" | "localhost.localdomain" | "local" | "broadcasthost" | "0.0.0.0"
    ) || name.starts_with("ip6-")
}
