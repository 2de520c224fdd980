//! The fields of the source `k8s_audit`: those of Falco's plugins, just as these extract them, and our own beside them.
//!
//! `ka.*`, `jevt.*` and `evt.*` are Falco's, with every quirk that a public rule file may rest on. `kube.*` are ours:
//! they say what happened, whatever client and whatever form of request it happened by.

mod generic;
mod native;
mod parity;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use seareeve_detect::source::ArgumentInfo;
use seareeve_detect::{
    Argument, Field, FieldError, FieldInfo, Kind, Presence, Shape, Source, Values,
};

use crate::event::AuditEvent;
use crate::portrait::{Aspect, Trait, about};

/// The name of the source in rules.
pub const SOURCE: &str = "k8s_audit";

/// Fields that hold names and addresses and nothing that anybody wrote into a body or a command.
const PLAIN: &[&str] = &[
    "ka.response.code",
    "ka.target.name",
    "ka.target.namespace",
    "ka.target.resource",
    "ka.target.subresource",
    "ka.user.name",
    "ka.verb",
    "kube.actor",
    "kube.agent",
    "kube.group",
    "kube.kind",
    "kube.name",
    "kube.namespace",
    "kube.resource",
    "kube.scope",
    "kube.source",
    "kube.source.class",
    "kube.source.peer",
    "kube.user.account",
    "kube.user.kind",
    "kube.user.namespace",
];

/// How a field gets its values.
pub(crate) type Extract = for<'e> fn(&'e AuditEvent<'_>, &Argument, &mut Values<'e>) -> Presence;

/// How a field's brackets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brackets {
    None,
    /// A position in a list, which may be missing.
    Index,
    /// A name, which must be there.
    Key,
    /// A JSON pointer (RFC 6901), which must be there.
    Pointer,
}

/// A field.
pub(crate) struct Definition {
    pub(crate) name: Cow<'static, str>,
    pub(crate) brackets: Brackets,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) is_key: bool,
    pub(crate) get: Get,
    pub(crate) about: Cow<'static, str>,
}

/// What a field is made of.
pub(crate) enum Get {
    /// By code of its own.
    By(Extract),
    /// By walking the event as Falco's plugin does.
    Walk(parity::Walk),
    /// What an object is after the request.
    Now(Aspect),
    /// What the request gave it.
    Added(Aspect),
    /// What is known of the pod that a request to a part of it is about.
    Pod(Aspect),
    /// What is known of the service before a workload, or of the workloads behind a service.
    Partner(Aspect),
}

/// Kubernetes audit events.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditSource;

impl Source for AuditSource {
    fn name(&self) -> &str {
        SOURCE
    }

    fn field(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        let Some((id, definition)) = TABLE.find(name) else {
            return Err(FieldError::Unknown {
                name: name.to_owned(),
            });
        };
        let wrong = |why: &str| FieldError::Argument {
            name: name.to_owned(),
            argument: argument.unwrap_or_default().to_owned(),
            why: why.to_owned(),
        };
        let argument = match (definition.brackets, argument) {
            (Brackets::None | Brackets::Index, None) => Argument::None,
            (Brackets::None, Some(_)) => {
                return Err(FieldError::NoArgument {
                    name: name.to_owned(),
                });
            }
            (Brackets::Key | Brackets::Pointer, None) => {
                return Err(FieldError::NeedsArgument {
                    name: name.to_owned(),
                });
            }
            (Brackets::Index, Some(index)) => Argument::Index(
                index
                    .parse()
                    .map_err(|_no_number| wrong("it is no position in a list"))?,
            ),
            (Brackets::Key, Some(key)) => Argument::Key(key.into()),
            (Brackets::Pointer, Some(pointer)) => {
                generic::pointer(pointer).map_err(|why| wrong(&why))?
            }
        };
        Ok(Field {
            id,
            argument,
            kind: definition.kind,
            shape: definition.shape,
            is_key: definition.is_key,
            is_plain: PLAIN.contains(&name),
        })
    }

    fn fields(&self) -> &[FieldInfo] {
        &TABLE.infos
    }

    fn provides(&self) -> &[(&'static str, &'static str)] {
        &[
            ("k8saudit", "0.18.0"),
            ("k8saudit-aks", "0.6.0"),
            ("k8saudit-eks", "0.12.0"),
            ("k8saudit-gke", "0.9.0"),
            ("k8saudit-ovh", "0.6.0"),
            ("json", "0.7.0"),
        ]
    }
}

/// What a field that [`AuditSource`] resolved is called.
pub(crate) fn name(field: &Field) -> Option<&'static str> {
    TABLE.get(field.id).map(|definition| &*definition.name)
}

/// The values of a field that [`AuditSource`] resolved.
pub(crate) fn extract<'e>(
    event: &'e AuditEvent<'_>,
    field: &Field,
    out: &mut Values<'e>,
) -> Presence {
    let Some(definition) = TABLE.get(field.id) else {
        return Presence::Absent;
    };
    match &definition.get {
        Get::By(extract) => extract(event, &field.argument, out),
        // Falco takes a list without values for none, whatever its plugin says.
        Get::Walk(walk) => match parity::extract(event, walk, &field.argument, out) {
            Presence::Present => present_if(!out.as_slice().is_empty()),
            Presence::Absent => Presence::Absent,
        },
        Get::Now(aspect) => list(&event.portrait().traits, *aspect, out),
        Get::Added(aspect) => list(event.added(), *aspect, out),
        Get::Pod(aspect) => match &event.context.object {
            Some(pod) => list(&pod.kept, *aspect, out),
            None => Presence::Absent,
        },
        Get::Partner(aspect) => {
            let found = out.as_slice().len();
            for partner in &event.context.partners {
                list(&partner.kept, *aspect, out);
            }
            present_if(out.as_slice().len() > found)
        }
    }
}

/// The traits about one aspect. None at all is absent, so that `in` is not true of nothing.
fn list<'e>(traits: &'e [Trait], aspect: Aspect, out: &mut Values<'e>) -> Presence {
    let mut is_there = false;
    for what in about(traits, aspect) {
        out.text(what);
        is_there = true;
    }
    present_if(is_there)
}

fn present_if(is_there: bool) -> Presence {
    if is_there {
        Presence::Present
    } else {
        Presence::Absent
    }
}

struct Table {
    definitions: Vec<Definition>,
    infos: Vec<FieldInfo>,
    by_name: HashMap<Cow<'static, str>, u32>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::make);

impl Table {
    fn make() -> Self {
        let mut definitions = parity::definitions();
        definitions.extend(generic::definitions());
        definitions.extend(native::definitions());
        definitions.extend(of_aspects());
        let infos = definitions
            .iter()
            .map(|definition| FieldInfo {
                name: definition.name.clone(),
                argument: match definition.brackets {
                    Brackets::None => ArgumentInfo::None,
                    Brackets::Index => ArgumentInfo::Optional,
                    Brackets::Key | Brackets::Pointer => ArgumentInfo::Required,
                },
                kind: definition.kind,
                shape: definition.shape,
                about: definition.about.clone(),
            })
            .collect();
        let by_name = (0..)
            .zip(&definitions)
            .map(|(id, definition)| (definition.name.clone(), id))
            .collect();
        Self {
            definitions,
            infos,
            by_name,
        }
    }

    fn find(&self, name: &str) -> Option<(u32, &Definition)> {
        let id = *self.by_name.get(name)?;
        Some((id, self.get(id)?))
    }

    fn get(&self, id: u32) -> Option<&Definition> {
        self.definitions.get(usize::try_from(id).ok()?)
    }
}

/// Each aspect of an object as it is, and of what the request added to it; some of what is remembered.
fn of_aspects() -> Vec<Definition> {
    let mut definitions = Vec::new();
    for (aspect, name, about) in Aspect::ALL {
        let about = about.trim();
        let mut add = |prefix: &str, get: Get, about: String| {
            definitions.push(Definition {
                name: Cow::Owned(format!("kube.{prefix}{name}")),
                brackets: Brackets::None,
                kind: match aspect {
                    Aspect::HostPath | Aspect::WritableHostPath => Kind::Path,
                    _ => Kind::Text,
                },
                // Any, so that one of several can be asked whether it contains or begins with something.
                shape: Shape::Any,
                is_key: false,
                get,
                about: Cow::Owned(about),
            });
        };
        add("now.", Get::Now(*aspect), about.to_owned());
        add(
            "added.",
            Get::Added(*aspect),
            format!(
                "As `kube.now.{name}`, but only what the object did not have before this request."
            ),
        );
        if matches!(
            aspect,
            Aspect::Privileged
                | Aspect::Capability
                | Aspect::HostPath
                | Aspect::HostNamespace
                | Aspect::Image
                | Aspect::Account
        ) {
            add(
                "pod.",
                Get::Pod(*aspect),
                format!(
                    "As `kube.now.{name}`, of the pod that a request to a part of it (exec, attach, …) is about, as it was last seen."
                ),
            );
        }
        if matches!(
            aspect,
            Aspect::Image | Aspect::Setting | Aspect::Danger | Aspect::Exposure | Aspect::Power
        ) {
            add(
                "partner.",
                Get::Partner(*aspect),
                format!(
                    "As `kube.now.{name}`, of the workloads that a service leads to, or of the services that lead to a workload, of the config maps that such a workload reads, of the services before workloads that read a config map, and of the role that a binding binds."
                ),
            );
        }
    }
    definitions
}

#[cfg(test)]
mod tests;
