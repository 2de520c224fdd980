//! What is built in: detections, and the lists and macros that they share.

use rust_embed::Embed;

#[derive(Embed)]
#[folder = "../../content/detections"]
struct Detections;

#[derive(Embed)]
#[folder = "../../content/lists"]
struct Lists;

#[derive(Embed)]
#[folder = "../../content/macros"]
struct Macros;

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
