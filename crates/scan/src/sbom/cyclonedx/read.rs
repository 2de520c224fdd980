//! Reads CycloneDX. Components may hold components, which are read alike.

use seareeve_model::Distro;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sbom::envelope::Outline;
use crate::sbom::gather::{Record, Root, Said};
use crate::sbom::json::{First, Gather, List, Records, Text, text};
use crate::sbom::notes::{ImageNotes, Notes, PackageNotes};

/// How deep components may stand in components. Each step reads what is below once more.
const DEEPEST: usize = 16;

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    component: Option<&'a RawValue>,
}

/// What is read of a component, with its properties as `N`.
#[derive(Deserialize)]
#[serde(bound(deserialize = "N: Notes<'de>"))]
struct Component<'a, N> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    group: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    version: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    purl: Option<Text<'a>>,
    #[serde(default = "none")]
    properties: List<Properties<N>>,
    #[serde(borrow)]
    evidence: Option<Evidence<'a>>,
    #[serde(borrow, default)]
    components: List<Records<'a>>,
}

fn none<N: Default>() -> List<Properties<N>> {
    List(Properties(N::default()))
}

#[derive(Default)]
struct Properties<N>(N);

#[derive(Deserialize)]
struct Property<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

impl<'a, N: Notes<'a>> Gather<'a> for Properties<N> {
    type Item = Property<'a>;

    fn take(&mut self, Property { name, value }: Property<'a>) {
        self.0.note(&name.0, text(value));
    }
}

/// Where a component was seen; cdxgen's way to say the file.
#[derive(Deserialize)]
struct Evidence<'a> {
    #[serde(borrow, default)]
    occurrences: List<First<Occurrence<'a>>>,
}

#[derive(Deserialize)]
struct Occurrence<'a> {
    #[serde(borrow)]
    location: Option<Text<'a>>,
}

pub(in crate::sbom) fn read<'a>(outline: &Outline<'a>) -> Said<'a> {
    let mut said = Said::default();
    let metadata = outline.metadata.map(|raw| serde_json::from_str(raw.get()));
    let root = match metadata {
        Some(Ok(Metadata { component })) => component,
        Some(Err(_)) => {
            said.gaps.add("the metadata cannot be read", "");
            None
        }
        None => None,
    };
    if let Some(raw) = root {
        match serde_json::from_str::<Component<'_, ImageNotes<'_>>>(raw.get()) {
            Ok(component) => {
                said.root = Root {
                    name: text(component.name),
                    version: text(component.version),
                    purl: text(component.purl),
                };
                let List(Properties(notes)) = component.properties;
                said.image = notes;
                components(&component.components.0, DEEPEST, &mut said);
            }
            Err(_) => said
                .gaps
                .add("what the document describes cannot be read", ""),
        }
    }
    components(&outline.components.0, DEEPEST, &mut said);
    said
}

fn components<'a>(records: &Records<'a>, depth: usize, said: &mut Said<'a>) {
    said.gaps.more_than_fit(records.untold);
    for raw in &records.raw {
        match serde_json::from_str::<Component<'_, PackageNotes<'_>>>(raw.get()) {
            Ok(read) => component(read, depth, said),
            Err(_) => said.gaps.add("a component is not as CycloneDX has it", ""),
        }
    }
}

fn component<'a>(read: Component<'a, PackageNotes<'a>>, depth: usize, said: &mut Said<'a>) {
    let name = text(read.name);
    let below = &read.components.0;
    if depth > 0 {
        components(below, depth - 1, said);
    } else if !below.raw.is_empty() {
        said.gaps
            .add("the components in it stand too deep to be read", &name);
    }
    let kind = text(read.kind);
    let version = text(read.version);
    let purl = text(read.purl);
    match kind.as_ref() {
        "operating-system" => {
            said.distro.get_or_insert_with(|| Distro {
                id: name.into_owned(),
                version: version.into_owned(),
                name: text(read.description).into_owned(),
            });
            return;
        }
        "library" | "framework" => {}
        // Trivy has an application for each lock file.
        "application" if !purl.is_empty() || !version.is_empty() => {}
        _ if purl.is_empty() => return,
        _ => {}
    }
    let List(Properties(mut notes)) = read.properties;
    let List(First(occurrence)) = read
        .evidence
        .map(|seen| seen.occurrences)
        .unwrap_or_default();
    let location = occurrence.and_then(|seen| seen.location);
    if let (Some(Text(location)), true) = (location, notes.place.path.is_empty()) {
        notes.place.path = location;
    }
    said.record(Record {
        group: text(read.group),
        name,
        version,
        purl,
        notes,
    });
}
