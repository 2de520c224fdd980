//! Who may run what as root by sudo, as far as it can be read without sudo (sudoers(5)).
//!
//! Aliases of users are followed; those of hosts, commands and run-as are not: a rule that needs them counts by
//! what its commands say literally.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A user or group to whom a rule gives root, or an engine, which is as much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sudoer {
    pub(crate) name: String,
    pub(crate) is_group: bool,
    pub(crate) file: String,
    pub(crate) line: usize,
    /// `all`, `docker` or empty.
    pub(crate) root_by: &'static str,
}

impl Sudoer {
    pub(crate) fn data(&self) -> (String, Value) {
        let kind = if self.is_group { "group" } else { "user" };
        let data = json!({
            "name": self.name, "kind": kind, "file": self.file, "line": self.line, "root_by": self.root_by,
        });
        (
            format!("{}:{} {kind} {}", self.file, self.line, self.name),
            data,
        )
    }
}

/// Who is named by the rules of these files (path and text), in their order.
pub(crate) fn parse(files: &[(String, String)]) -> Vec<Sudoer> {
    let lines = || {
        files
            .iter()
            .flat_map(|(path, text)| logical(text).map(move |(number, line)| (path, number, line)))
    };
    let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, _, line) in lines() {
        let Some(rest) = line.strip_prefix("User_Alias") else {
            continue;
        };
        for definition in rest.split(':') {
            if let Some((name, members)) = definition.split_once('=') {
                aliases.insert(name.trim().to_owned(), list(members));
            }
        }
    }
    let mut found = Vec::new();
    for (path, number, line) in lines() {
        let word = line.split(char::is_whitespace).next().unwrap_or_default();
        let is_other =
            word.starts_with("Defaults") || word.ends_with("_Alias") || word.starts_with('@');
        let Some((left, right)) = line.split_once('=').filter(|_| !is_other) else {
            continue;
        };
        // The last word left of `=` is the host.
        let Some((users, _host)) = left.trim().rsplit_once(char::is_whitespace) else {
            continue;
        };
        let root_by = commands(right);
        for name in resolve(&list(users), &aliases) {
            let (name, is_group) = match name.strip_prefix('%') {
                Some(group) => (group.to_owned(), true),
                None => (name, false),
            };
            found.push(Sudoer {
                name,
                is_group,
                file: path.clone(),
                line: number,
                root_by,
            });
        }
    }
    found
}

/// Names with aliases replaced, each once. An alias that leads to itself ends there.
fn resolve(names: &[String], aliases: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    let mut open: Vec<String> = names.to_vec();
    let (mut done, mut out) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = open.pop() {
        match aliases.get(&name) {
            Some(members) if done.insert(name.clone()) => open.extend(members.iter().cloned()),
            Some(_) => {}
            None => {
                out.insert(name);
            }
        }
    }
    out
}

fn list(text: &str) -> Vec<String> {
    let names = text.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty() && !name.starts_with('!'))
        .map(str::to_owned)
        .collect()
}

/// What the commands of a rule come to. Tags and whom they run as stand before them: `(root) NOPASSWD: /bin/x`.
fn commands(text: &str) -> &'static str {
    let mut by = "";
    for command in text.split(',') {
        let command = command.rsplit(')').next().unwrap_or_default();
        let command = command.rsplit(": ").next().unwrap_or_default().trim();
        let command = command
            .rsplit_once("NOPASSWD:")
            .map_or(command, |(_, rest)| rest)
            .trim();
        let program = command
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default();
        if program == "ALL" {
            return "all";
        }
        let name = program.rsplit('/').next().unwrap_or_default();
        if ["docker", "podman", "nerdctl", "ctr", "docker-compose"].contains(&name) {
            by = "docker";
        }
    }
    by
}

/// Lines with their numbers: continued ones joined, comments and empty ones left out.
fn logical(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = text.lines().zip(1_usize..);
    std::iter::from_fn(move || {
        loop {
            let (first, number) = lines.next()?;
            let mut line = first.to_owned();
            while line.ends_with('\\') {
                line.pop();
                line.push_str(lines.next()?.0);
            }
            // `#1000` is a user by number, `# text` is not.
            let is_number =
                line.starts_with('#') && line.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
            let kept = if is_number {
                line.as_str()
            } else {
                line.split('#').next().unwrap_or_default()
            };
            let kept = kept.trim();
            if !kept.is_empty() {
                return Some((number, kept.to_owned()));
            }
        }
    })
}

/// Files and folders that a sudoers file includes: `@include` and `@includedir`, and their old forms.
pub(crate) fn includes(text: &str) -> Vec<(bool, String)> {
    let lines = text.lines().filter_map(|line| {
        let rest = line
            .trim()
            .strip_prefix(['@', '#'])?
            .strip_prefix("include")?;
        let (is_folder, rest) = match rest.strip_prefix("dir") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let path = rest.strip_prefix([' ', '\t'])?.trim().trim_matches('"');
        (!path.is_empty()).then(|| (is_folder, path.to_owned()))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_those_who_become_root() {
        let text = "\
Defaults env_reset
root ALL=(ALL:ALL) ALL
%sudo ALL=(ALL:ALL) NOPASSWD: ALL   # everybody there
User_Alias ADMINS = ann, bob : LOOP = LOOP, cleo
ADMINS web1 = (root) /usr/bin/docker ps, \\
   /bin/ls
LOOP ALL = /bin/ls
#includedir /etc/sudoers.d
dora ALL=NOPASSWD:/usr/local/bin/podman
";
        let found = parse(&[("/etc/sudoers".to_owned(), text.to_owned())]);
        let seen: Vec<(&str, bool, usize, &str)> = found
            .iter()
            .map(|one| (one.name.as_str(), one.is_group, one.line, one.root_by))
            .collect();
        assert_eq!(
            seen,
            [
                ("root", false, 2, "all"),
                ("sudo", true, 3, "all"),
                ("ann", false, 5, "docker"),
                ("bob", false, 5, "docker"),
                ("cleo", false, 7, ""),
                ("dora", false, 9, "docker"),
            ]
        );
        assert_eq!(includes(text), [(true, "/etc/sudoers.d".to_owned())]);
    }
}
