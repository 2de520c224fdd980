//! Where two scanners disagree, in groups with reasons.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, bail};

use crate::shell::Shell;

/// The differences that are right as they are, each with the reason.
const EXPLAINED: &str = include_str!("explained.toml");

/// One thing on which the sides disagree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// `package missed`, `package extra`, `finding missed`, `finding extra`, `finding merged`, `finding split`,
    /// `fewer fixes`, `other fixes`.
    pub(super) what: &'static str,
    pub(super) image: String,
    pub(super) kind: String,
    pub(super) package: String,
    pub(super) version: String,
    /// The file in the image that says so.
    pub(super) place: String,
    pub(super) id: String,
    pub(super) detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {} {}",
            self.what, self.kind, self.package, self.version
        )?;
        for more in [&self.id, &self.place, &self.detail] {
            if !more.is_empty() {
                write!(f, " · {more}")?;
            }
        }
        Ok(())
    }
}

/// The reasons that we know, and how often each was needed.
pub(super) struct Reasons {
    entries: Vec<(Entry, usize)>,
}

/// Explains the differences whose fields are all as it says. A `*` at the end or the beginning stands for anything.
struct Entry {
    fields: BTreeMap<String, String>,
    reason: String,
}

impl Reasons {
    /// Those of `explained.toml`.
    pub(super) fn read() -> Result<Self> {
        Self::parse(EXPLAINED).context("failed to read explained.toml")
    }

    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse()?;
        let entries = table.get("difference").and_then(toml::Value::as_array);
        let entries = entries.context("no [[difference]]")?;
        let entry = |value: &toml::Value| -> Result<(Entry, usize)> {
            let table = value.as_table().context("an entry is no table")?;
            let mut fields = BTreeMap::new();
            for (key, value) in table {
                let value = value
                    .as_str()
                    .with_context(|| format!("{key} is no text"))?;
                fields.insert(key.clone(), value.to_owned());
            }
            let reason = fields.remove("reason").context("an entry has no reason")?;
            if let Some(unknown) = fields.keys().find(|key| !FIELDS.contains(&key.as_str())) {
                bail!("{unknown} is no field of a difference");
            }
            Ok((Entry { fields, reason }, 0))
        };
        Ok(Self {
            entries: entries.iter().map(entry).collect::<Result<_>>()?,
        })
    }

    fn explain(&mut self, difference: &Difference) -> Option<&str> {
        let (entry, uses) = self
            .entries
            .iter_mut()
            .find(|(entry, _)| entry.explains(difference))?;
        *uses += 1;
        Some(&entry.reason)
    }

    /// Prints the differences of one image: by reason with one example, then every one that has none. How many
    /// those are.
    pub(super) fn tell(&mut self, shell: &Shell, differences: &[Difference]) -> Result<usize> {
        let mut groups: BTreeMap<(String, &str, &str), Vec<&Difference>> = BTreeMap::new();
        let mut unexplained = Vec::new();
        for difference in differences {
            match self.explain(difference) {
                Some(reason) => groups
                    .entry((reason.to_owned(), difference.what, &difference.kind))
                    .or_default()
                    .push(difference),
                None => unexplained.push(difference),
            }
        }
        for ((reason, what, kind), group) in groups {
            shell.say(&format!("  {} × {kind} {what}: {reason}", group.len()))?;
            if let Some(example) = group.first() {
                shell.say(&format!("      such as {example}"))?;
            }
        }
        for difference in &unexplained {
            shell.say(&format!("  NOT EXPLAINED {difference}"))?;
        }
        Ok(unexplained.len())
    }

    /// The reasons that explained nothing: they are out of date, and would hide something one day.
    pub(super) fn unused(&self) -> impl Iterator<Item = &str> {
        let unused = self.entries.iter().filter(|(_, uses)| *uses == 0);
        unused.map(|(entry, _)| entry.reason.as_str())
    }
}

/// What an entry may ask for.
const FIELDS: &[&str] = &[
    "what", "image", "kind", "package", "version", "place", "id", "detail",
];

impl Entry {
    fn explains(&self, difference: &Difference) -> bool {
        self.fields.iter().all(|(field, pattern)| {
            let text = match field.as_str() {
                "what" => difference.what,
                "image" => &difference.image,
                "kind" => &difference.kind,
                "package" => &difference.package,
                "version" => &difference.version,
                "place" => &difference.place,
                "id" => &difference.id,
                "detail" => &difference.detail,
                _ => return false,
            };
            matches(pattern, text)
        })
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(what: &'static str, package: &str) -> Difference {
        Difference {
            what,
            image: "image".to_owned(),
            kind: "npm".to_owned(),
            package: package.to_owned(),
            version: "1".to_owned(),
            place: "srv/app/node_modules/ws/package.json".to_owned(),
            id: "CVE-1".to_owned(),
            detail: String::new(),
        }
    }

    #[test]
    fn an_entry_explains_what_has_all_its_fields() {
        let mut reasons = Reasons::parse(
            "[[difference]]\nwhat = \"finding extra\"\nplace = \"srv/*\"\npackage = \"ws\"\nreason = \"because\"\n\
             [[difference]]\nkind = \"gem\"\nreason = \"never\"",
        )
        .unwrap();
        assert_eq!(
            reasons.explain(&difference("finding extra", "ws")),
            Some("because")
        );
        assert_eq!(reasons.explain(&difference("finding missed", "ws")), None);
        assert_eq!(reasons.explain(&difference("finding extra", "ms")), None);
        assert_eq!(reasons.unused().collect::<Vec<_>>(), ["never"]);
    }

    #[test]
    fn entries_that_could_explain_too_much_are_refused() {
        for text in [
            "",
            "[[difference]]\nkind = \"npm\"",
            "[[difference]]\nknd = \"npm\"\nreason = \"x\"",
        ] {
            assert!(Reasons::parse(text).is_err(), "{text}");
        }
    }
}
