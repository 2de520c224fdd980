//! What is built in: detections, and the lists and macros that they share.

use rust_embed::Embed;

use crate::yaml;

#[derive(Embed)]
#[folder = "../../content/detections"]
struct Detections;

#[derive(Embed)]
#[folder = "../../content/lists"]
struct Lists;

#[derive(Embed)]
#[folder = "../../content/macros"]
struct Macros;

/// A list that others may extend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListInfo {
    /// As conditions name it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What entries it takes: `address`, `domain`, `url`, `hash`, `text`.
    pub takes: Vec<String>,
    /// Its items, with their reasons.
    pub items: Vec<(String, String)>,
}

impl ListInfo {
    /// Nothing, if the list takes nothing or is none.
    fn read(text: &str) -> Option<Self> {
        let documents = yaml::parse(text).ok()?;
        let list = documents.first()?;
        let word = |node: &yaml::Node, key: &str| Some(node.get(key)?.text()?.to_owned());
        let takes = list.get("takes")?.items()?.iter();
        let items = list.get("items")?.items()?.iter();
        let items = items.map(|item| Some((word(item, "item")?, word(item, "reason")?)));
        Some(Self {
            name: word(list, "name")?,
            title: word(list, "title")?,
            takes: takes
                .filter_map(|kind| kind.text().map(str::to_owned))
                .collect(),
            items: items.collect::<Option<_>>()?,
        })
    }
}

/// Files by name, in the order in which they are loaded.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// `content/lists/<name>.yaml`
    pub lists: Vec<(String, String)>,
    /// `content/macros/<source>.yaml`
    pub macros: Vec<(String, String)>,
    /// `content/detections/<source>/<id>.yaml`
    pub detections: Vec<(String, String)>,
}

impl Content {
    /// What is built into this program.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            lists: files::<Lists>("lists"),
            macros: files::<Macros>("macros"),
            detections: files::<Detections>("detections"),
        }
    }

    /// The lists that others' may extend: those that say what they take.
    #[must_use]
    pub fn extendable(&self) -> Vec<ListInfo> {
        let lists = self.lists.iter();
        lists.filter_map(|(_, text)| ListInfo::read(text)).collect()
    }

    /// Only lists and macros, for rules of somebody else to use.
    #[must_use]
    pub fn shared() -> Self {
        Self {
            detections: Vec::new(),
            ..Self::builtin()
        }
    }
}

fn files<F: Embed>(folder: &str) -> Vec<(String, String)> {
    let is_yaml = |name: &String| name.ends_with(".yaml");
    let names = F::iter().map(|name| name.into_owned());
    let mut names: Vec<String> = names.filter(is_yaml).collect();
    names.sort();
    let files = names.into_iter().filter_map(|name| {
        let text = String::from_utf8(F::get(&name)?.data.into_owned()).ok()?;
        Some((format!("{folder}/{name}"), text))
    });
    files.collect()
}
