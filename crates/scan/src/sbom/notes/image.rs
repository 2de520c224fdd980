//! Reads the notes of an image: ours, and those of Trivy.

use std::borrow::Cow;

use seareeve_model::{Image, Layer, Problem, ProblemCode};

use super::{Notes, SCHEMA};

/// Entries of one list (names, layers, problems) that are read. Images have up to 127 layers, and an
/// inventory up to 10,000 problems and some of matching.
const MOST_ENTRIES: usize = 12_000;

/// What the notes of an image say.
#[derive(Debug, Default)]
pub(in crate::sbom) struct ImageNotes<'a> {
    schema: Cow<'a, str>,
    digest: Cow<'a, str>,
    config_digest: Cow<'a, str>,
    os: Cow<'a, str>,
    architecture: Cow<'a, str>,
    created: Option<Cow<'a, str>>,
    own_references: Entries<Cow<'a, str>>,
    own_layers: Entries<LayerNotes<'a>>,
    own_problems: Entries<[Cow<'a, str>; 3]>,
    /// Trivy's, all of which may stand several times.
    pub(in crate::sbom) names: Vec<Cow<'a, str>>,
    pub(in crate::sbom) repository_digests: Vec<Cow<'a, str>>,
    pub(in crate::sbom) diff_ids: Vec<Cow<'a, str>>,
    pub(in crate::sbom) image_id: Cow<'a, str>,
}

#[derive(Debug, Default)]
struct LayerNotes<'a> {
    diff_id: Cow<'a, str>,
    digest: Option<Cow<'a, str>>,
    size_bytes: Cow<'a, str>,
    created_by: Cow<'a, str>,
}

/// A list whose entries have numbers, which count up.
#[derive(Debug)]
struct Entries<T> {
    list: Vec<T>,
    /// How many more there were.
    untold: usize,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            untold: 0,
        }
    }
}

impl<T: Default> Entries<T> {
    fn at(&mut self, number: &str) -> Option<&mut T> {
        let number: usize = number.parse().ok()?;
        if number == self.list.len() && number < MOST_ENTRIES {
            self.list.push(T::default());
        }
        let beyond = number.saturating_sub(MOST_ENTRIES - 1);
        self.untold = self.untold.max(beyond);
        self.list.get_mut(number)
    }
}

impl<'de: 'a, 'a> Notes<'de> for ImageNotes<'a> {
    fn note(&mut self, name: &str, value: Cow<'de, str>) {
        if let Some(own) = name.strip_prefix("seareeve:") {
            if let Some(field) = self.own_field(own) {
                *field = value;
            }
            return;
        }
        let list = match name.strip_prefix("aquasecurity:trivy:").unwrap_or(name) {
            "ImageID" => {
                self.image_id = value;
                return;
            }
            "RepoTag" => &mut self.names,
            "RepoDigest" => &mut self.repository_digests,
            "DiffID" => &mut self.diff_ids,
            _ => return,
        };
        if list.len() < MOST_ENTRIES {
            list.push(value);
        }
    }
}

impl<'a> ImageNotes<'a> {
    fn own_field(&mut self, name: &str) -> Option<&mut Cow<'a, str>> {
        let mut parts = name.splitn(3, ':');
        let (group, second, third) = (parts.next()?, parts.next(), parts.next());
        Some(match (group, second, third) {
            ("schema", None, None) => &mut self.schema,
            ("image", Some("digest"), None) => &mut self.digest,
            ("image", Some("config_digest"), None) => &mut self.config_digest,
            ("image", Some("os"), None) => &mut self.os,
            ("image", Some("architecture"), None) => &mut self.architecture,
            ("image", Some("created"), None) => self.created.get_or_insert_default(),
            ("reference", Some(number), None) => self.own_references.at(number)?,
            ("layer", Some(number), Some(field)) => {
                let layer = self.own_layers.at(number)?;
                match field {
                    "diff_id" => &mut layer.diff_id,
                    "digest" => layer.digest.get_or_insert_default(),
                    "size_bytes" => &mut layer.size_bytes,
                    "created_by" => &mut layer.created_by,
                    _ => return None,
                }
            }
            ("problem", Some(number), Some(field)) => {
                let [code, place, message] = self.own_problems.at(number)?;
                match field {
                    "code" => code,
                    "place" => place,
                    "message" => message,
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// Whether the document says that we wrote it.
    pub(in crate::sbom) fn is_own(&self) -> bool {
        !self.schema.is_empty()
    }

    /// How many entries of lists were left out.
    pub(in crate::sbom) fn untold(&self) -> usize {
        let lists = [
            self.own_references.untold,
            self.own_layers.untold,
            self.own_problems.untold,
        ];
        lists.into_iter().fold(0, usize::saturating_add)
    }

    /// The image and its problems as we wrote them, if they are whole and of a version that we know.
    pub(in crate::sbom) fn own(&self) -> Option<(Image, Vec<Problem>)> {
        if self.schema != SCHEMA {
            return None;
        }
        let text = |text: &Cow<'_, str>| text.clone().into_owned();
        let layer = |layer: &LayerNotes<'_>| {
            let digest = match &layer.digest {
                Some(digest) => Some(digest.parse().ok()?),
                None => None,
            };
            Some(Layer {
                diff_id: layer.diff_id.parse().ok()?,
                digest,
                size_bytes: layer.size_bytes.parse().ok()?,
                created_by: text(&layer.created_by),
            })
        };
        let problem = |[code, place, message]: &[Cow<'_, str>; 3]| {
            let code = ProblemCode::parse(code)?;
            Some(Problem::new(code, text(place), text(message)))
        };
        let created = match &self.created {
            Some(created) => Some(created.parse().ok()?),
            None => None,
        };
        let layers: Option<Vec<Layer>> = self.own_layers.list.iter().map(layer).collect();
        let problems: Option<Vec<Problem>> = self.own_problems.list.iter().map(problem).collect();
        let image = Image {
            references: self.own_references.list.iter().map(text).collect(),
            digest: self.digest.parse().ok()?,
            config_digest: self.config_digest.parse().ok()?,
            os: text(&self.os),
            architecture: text(&self.architecture),
            created,
            layers: layers?,
        };
        Some((image, problems?))
    }
}
