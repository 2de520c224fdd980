//! Listing all objects of a resource, page by page, each object cut down as soon as it has come.

use std::cell::RefCell;
use std::fmt;
use std::io::BufReader;

use seareeve_kubernetes::{Api, Gap, Object, Reading, Resource, Slim};
use seareeve_model::CollectionStatus;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::client::{AskError, Client, Meter, Metered, Reply, shown};

/// How often a list is begun anew because the server has forgotten where we were.
const MAX_RESTARTS: u32 = 3;

/// Most pages of one list: one without end has no others.
const MAX_PAGES: usize = 100_000;

/// What became of a list.
#[derive(Debug)]
pub(super) struct Listed {
    /// The version of the API that has the resource.
    pub(super) version: &'static str,
    /// From where a watch goes on.
    pub(super) resource_version: String,
    /// How many objects were none.
    pub(super) unreadable: usize,
    /// Whether there are more than are looked at.
    pub(super) is_cut: bool,
}

/// Takes one object; `true` at the beginning of a list, when none counts that came before.
pub(super) type Take<'t> = &'t mut dyn FnMut(Object);

/// Where the API has a resource, in one of its versions.
pub(super) fn path(api: &Api, version: &str) -> String {
    match api.group {
        "" => format!("/api/{version}/{}", api.plural),
        group => format!("/apis/{group}/{version}/{}", api.plural),
    }
}

/// What to ask for: of some resources, names are enough, and the rest does not have to leave the server.
pub(super) fn accept(resource: Resource, kind: &str) -> String {
    match resource.reading() {
        Reading::Metadata => format!("application/json;as={kind};g=meta.k8s.io;v=v1"),
        Reading::Whole | Reading::Never => "application/json".to_owned(),
    }
}

/// Lists `resource` in the first version of its API that the server has.
pub(super) fn list(
    client: &Client,
    resource: Resource,
    restart: &mut dyn FnMut(),
    take: Take<'_>,
) -> Result<Listed, AskError> {
    let api = resource.api();
    let mut last = None;
    for version in api.versions {
        match list_version(client, resource, version, restart, take) {
            Err(error) if error.status() == Some(404) => last = Some(error),
            other => return other,
        }
    }
    Err(last.unwrap_or_else(|| client.malformed(api.plural, "no version of it is known")))
}

fn list_version(
    client: &Client,
    resource: Resource,
    version: &'static str,
    restart: &mut dyn FnMut(),
    take: Take<'_>,
) -> Result<Listed, AskError> {
    let api = resource.api();
    let base = path(&api, version);
    let accept = accept(resource, "PartialObjectMetadataList");
    let mut listed = Listed {
        version,
        resource_version: String::new(),
        unreadable: 0,
        is_cut: false,
    };
    let mut restarts = 0;
    let mut count: usize = 0;
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let limit = client.limits.page;
        let path = match &token {
            None => format!("{base}?limit={limit}"),
            Some(token) => format!("{base}?limit={limit}&continue={}", encode(token)),
        };
        let page = page(client, &path, &accept, &mut |value| {
            count = count.saturating_add(1);
            if count > client.limits.objects {
                return;
            }
            let api_version = match api.group {
                "" => version.to_owned(),
                group => format!("{group}/{version}"),
            };
            match value.map(|value| Object::of(resource, &api_version, value, None)) {
                Some(Ok(object)) => take(object),
                Some(Err(_)) | None => listed.unreadable = listed.unreadable.saturating_add(1),
            }
        });
        let meta = match page {
            // The place in the list is known for some minutes only.
            Err(error) if error.status() == Some(410) && token.is_some() => {
                restarts += 1;
                if restarts > MAX_RESTARTS {
                    return Err(error);
                }
                token = None;
                count = 0;
                listed.unreadable = 0;
                restart();
                continue;
            }
            other => other?,
        };
        listed.resource_version = meta.resource_version;
        listed.is_cut = count > client.limits.objects;
        match meta.next {
            Some(next) if !next.is_empty() && !listed.is_cut => token = Some(next),
            _ => return Ok(listed),
        }
    }
    Err(client.malformed(&base, "the list has no end"))
}

/// One page; `each` gets every item as it comes.
fn page(
    client: &Client,
    path: &str,
    accept: &str,
    each: &mut dyn FnMut(Option<serde_json::Value>),
) -> Result<Meta, AskError> {
    let body = client.open(path, accept, Reply::Whole)?;
    let meter = Meter::new(client.limits.answer_bytes);
    meter.allow(client.limits.object_bytes);
    let reader = BufReader::with_capacity(64 << 10, Metered::new(body, &meter, &client.pulse));
    let mut document = serde_json::Deserializer::from_reader(reader);
    let list = List {
        each: RefCell::new(each),
        meter: &meter,
        object_bytes: client.limits.object_bytes,
    };
    let meta = list.deserialize(&mut document);
    meta.map_err(|error| {
        if error.is_io() {
            client.read_failed(path, error.into(), &meter)
        } else {
            client.malformed(path, &error.to_string())
        }
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "resourceVersion")]
    resource_version: String,
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// A list document, of which the items are given away one by one.
struct List<'l> {
    each: RefCell<&'l mut dyn FnMut(Option<serde_json::Value>)>,
    meter: &'l Meter,
    object_bytes: u64,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Meta;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Meta, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Meta;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Meta, A::Error> {
        let mut meta = None;
        let mut has_items = false;
        while let Some(key) = entries.next_key::<String>()? {
            match key.as_str() {
                "metadata" => meta = Some(entries.next_value()?),
                "items" => {
                    entries.next_value_seed(Items(&self))?;
                    has_items = true;
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        match meta {
            Some(meta) if has_items => Ok(meta),
            _ => Err(serde::de::Error::custom("it is no list")),
        }
    }
}

struct Items<'i, 'l>(&'i List<'l>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    /// How Go writes a list that is not there.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let list = self.0;
        while let Some(Slim(item)) = items.next_element()? {
            (list.each.borrow_mut())(item);
            list.meter.allow(list.object_bytes);
        }
        list.meter.allow(list.object_bytes);
        Ok(())
    }
}

/// The gap that a failed list leaves.
pub(super) fn gap(resource: Resource, verb: &str, error: &AskError) -> Gap {
    let api = resource.api();
    let (status, detail) = match error.status() {
        Some(404) => (
            CollectionStatus::Absent,
            format!("the cluster has no {resource}"),
        ),
        Some(403) => (
            CollectionStatus::Denied,
            format!(
                "the reader may not {verb} {}: its role lacks `{verb}` on `{}` in the API group `{}`",
                resource, api.plural, api.group
            ),
        ),
        Some(401) => (
            CollectionStatus::Denied,
            "the cluster does not accept our credentials".to_owned(),
        ),
        _ => (CollectionStatus::Error, error.to_string()),
    };
    Gap { status, detail }
}

/// The gap that a list leaves which is there but for some objects.
pub(super) fn rest(resource: Resource, listed: &Listed) -> Option<Gap> {
    let detail = if listed.is_cut {
        format!("there are too many {resource}: the rest was not read")
    } else if listed.unreadable > 0 {
        format!(
            "{} of {resource} could not be understood",
            listed.unreadable
        )
    } else {
        return None;
    };
    Some(Gap {
        status: CollectionStatus::Error,
        detail: shown(&detail),
    })
}

/// A text as a value in a query.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
