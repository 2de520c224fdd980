//! One object, as the API or a manifest gives it, cut down to what facts are made from.

use serde_json::Value;

use crate::json::text;
use crate::pods;
use crate::resource::Resource;
use crate::trim;

/// Longest name that is one. Kubernetes allows 253; role names are not limited by their form.
const MAX_NAME: usize = 1_024;

/// An object without what no check needs, and without secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub(crate) resource: Resource,
    pub(crate) api_version: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) origin: Option<Origin>,
}

/// Where in a manifest an object stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// As it was given by whoever read it.
    pub file: String,
    /// Number of the document, from 0. The items of a `List` count as one each.
    pub index: usize,
    /// Line on which the document begins, from 1.
    pub line: u64,
}

/// Why a value is no [`Object`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// It has no kind, no name, is no map at all, or its pods are none. The fault of who wrote it.
    #[error("it is no object of Kubernetes: {0}")]
    NoObject(&'static str),
    /// It is of a kind that no facts are made from.
    #[error("no facts are made from objects of kind {kind} ({api_version})")]
    UnknownKind {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
        /// Its namespace, `""` where it says none.
        namespace: String,
        /// Its name, `""` where it says none.
        name: String,
    },
}

impl Object {
    /// The object in `value`, which says itself what it is.
    ///
    /// # Errors
    /// [`NotRead`].
    pub fn read(value: Value, origin: Option<Origin>) -> Result<Self, NotRead> {
        let (Some(kind), Some(api_version)) = (text(&value, "/kind"), text(&value, "/apiVersion"))
        else {
            return Err(NotRead::NoObject("it has no kind or no apiVersion"));
        };
        let Some(resource) = Resource::of(api_version, kind) else {
            let part = |pointer| short(text(&value, pointer).unwrap_or_default());
            return Err(NotRead::UnknownKind {
                api_version: short(api_version),
                kind: short(kind),
                namespace: part("/metadata/namespace"),
                name: part("/metadata/name"),
            });
        };
        let api_version = api_version.to_owned();
        Self::of(resource, &api_version, value, origin)
    }

    /// The object in `value`, an item of a list of `resource`: those do not say what they are.
    ///
    /// # Errors
    /// [`NotRead::NoObject`].
    pub fn of(
        resource: Resource,
        api_version: &str,
        mut value: Value,
        origin: Option<Origin>,
    ) -> Result<Self, NotRead> {
        if api_version.len() > MAX_NAME {
            return Err(NotRead::NoObject("its apiVersion is too long"));
        }
        // YAML takes a word such as `n` or `on` for a truth value, and so the API takes no such object.
        for pointer in ["/metadata/name", "/metadata/namespace"] {
            if value.pointer(pointer).is_some_and(|part| !part.is_string()) {
                return Err(NotRead::NoObject(
                    "its name or namespace is no text: to YAML, words such as n, y and on are truth values",
                ));
            }
        }
        let name = text(&value, "/metadata/name")
            .or_else(|| text(&value, "/metadata/generateName"))
            .unwrap_or_default()
            .to_owned();
        if name.is_empty() {
            return Err(NotRead::NoObject("it has no name"));
        }
        let namespace = text(&value, "/metadata/namespace")
            .filter(|_| resource.api().namespaced)
            .unwrap_or_default()
            .to_owned();
        if name.len() > MAX_NAME || namespace.len() > MAX_NAME {
            return Err(NotRead::NoObject("its name or namespace is too long"));
        }
        if let Some(why) = pods::misshapen(resource, &value) {
            return Err(NotRead::NoObject(why));
        }
        trim::trim(resource, &mut value);
        Ok(Self {
            resource,
            api_version: api_version.to_owned(),
            namespace,
            name,
            value,
            origin,
        })
    }

    /// What it is.
    #[must_use]
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// `""` where it has none, or a manifest does not say.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name, or what its name will begin with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands, if it comes from a manifest.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }
}

fn short(text: &str) -> String {
    text.chars().take(253).collect()
}
