//! Reads the notes of a package: ours, and those of Trivy, Syft and cdxgen.

use std::borrow::Cow;

use seareeve_model::{ImagePath, PackageKind, Purl, SourcePackage};

use super::Notes;
use crate::ecosystems;

/// What the notes of a package say.
#[derive(Debug, Default)]
pub(in crate::sbom) struct PackageNotes<'a> {
    /// Ours. With a kind, the document says that the package was written by us.
    kind: Option<Cow<'a, str>>,
    ecosystem: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    path_hex: Option<Cow<'a, str>>,
    layer_index: Option<Cow<'a, str>>,
    purl: Option<Cow<'a, str>>,
    own_source_name: Option<Cow<'a, str>>,
    own_source_version: Option<Cow<'a, str>>,
    /// Those of others; empty where they say nothing.
    pub(in crate::sbom) place: Place<'a>,
    pub(in crate::sbom) source: Source<'a>,
    /// `name@version` as the package spells itself; Trivy's components have the name of the package URL.
    id: Cow<'a, str>,
}

/// Where others found a package.
#[derive(Debug, Default)]
pub(in crate::sbom) struct Place<'a> {
    pub(in crate::sbom) path: Cow<'a, str>,
    pub(in crate::sbom) layer: Cow<'a, str>,
    /// The path is a file that we read packages from, so no other can be better.
    is_known: bool,
    /// The layer of the next path, with the number that both have.
    next: Option<(String, Cow<'a, str>)>,
}

/// What others say that a package was built from. Trivy writes the version in three parts.
#[derive(Debug, Default)]
pub(in crate::sbom) struct Source<'a> {
    pub(in crate::sbom) name: Cow<'a, str>,
    pub(in crate::sbom) version: Cow<'a, str>,
    release: Cow<'a, str>,
    epoch: Cow<'a, str>,
}

impl<'de: 'a, 'a> Notes<'de> for PackageNotes<'a> {
    fn note(&mut self, name: &str, value: Cow<'de, str>) {
        if let Some(own) = name.strip_prefix("seareeve:") {
            let field = match own {
                "kind" => &mut self.kind,
                "ecosystem" => &mut self.ecosystem,
                "path" => &mut self.path,
                "path:hex" => &mut self.path_hex,
                "layer:index" => &mut self.layer_index,
                "purl" => &mut self.purl,
                "source:name" => &mut self.own_source_name,
                "source:version" => &mut self.own_source_version,
                _ => return,
            };
            *field = Some(value);
            return;
        }
        if let Some(location) = name.strip_prefix("syft:location:") {
            return self.place.syft_location(location, value);
        }
        // cdxgen takes over Trivy's names without the prefix.
        let field = match name.strip_prefix("aquasecurity:trivy:").unwrap_or(name) {
            "FilePath" | "SrcFile" => &mut self.place.path,
            "LayerDiffID" => &mut self.place.layer,
            "PkgID" => &mut self.id,
            "SrcName" | "syft:metadata:source" | "syft:metadata:originPackage" => {
                &mut self.source.name
            }
            "SrcVersion" | "syft:metadata:sourceVersion" => &mut self.source.version,
            "SrcRelease" => &mut self.source.release,
            "SrcEpoch" => &mut self.source.epoch,
            _ => return,
        };
        *field = value;
    }
}

impl<'a> Place<'a> {
    /// Syft lists every file of which it learned something: `0:layerID`, `0:path`, `1:layerID` and so on. The
    /// first counts, unless one is a file that we would have read.
    fn syft_location(&mut self, name: &str, value: Cow<'a, str>) {
        let (number, what) = name.split_once(':').unwrap_or_default();
        match what {
            "layerID" => self.next = Some((number.to_owned(), value)),
            "path" if !self.is_known => {
                let path = ImagePath::parse(value.as_bytes());
                self.is_known = path.is_some_and(|path| ecosystems::wanted(&path));
                if self.is_known || self.path.is_empty() {
                    let layer = self.next.take().filter(|(of, _)| of == number);
                    self.layer = layer.map(|(_, layer)| layer).unwrap_or_default();
                    self.path = value;
                }
            }
            _ => {}
        }
    }
}

impl Source<'_> {
    /// The version as the package manager writes it; empty where none is said.
    pub(in crate::sbom) fn whole_version(&self) -> String {
        let mut whole = String::new();
        if !matches!(self.epoch.as_ref(), "" | "0") {
            whole.push_str(&self.epoch);
            whole.push(':');
        }
        whole.push_str(&self.version);
        if !self.release.is_empty() {
            whole.push('-');
            whole.push_str(&self.release);
        }
        whole
    }
}

/// A package as we wrote it, besides its name and version.
pub(in crate::sbom) struct Own {
    pub(in crate::sbom) kind: PackageKind,
    pub(in crate::sbom) ecosystem: String,
    pub(in crate::sbom) source: Option<SourcePackage>,
    /// `None` where the document's own package URL is the one.
    pub(in crate::sbom) purl: Option<Purl>,
    pub(in crate::sbom) path: ImagePath,
    pub(in crate::sbom) layer: u32,
}

impl PackageNotes<'_> {
    /// The name of the package as it spells itself; empty where it is not said.
    pub(in crate::sbom) fn name(&self) -> &str {
        self.id.rsplit_once('@').map_or("", |(name, _)| name)
    }

    /// What we wrote, if it is whole.
    pub(in crate::sbom) fn own(&self) -> Option<Own> {
        let path = match &self.path_hex {
            Some(hex) => ImagePath::parse(&unhex(hex)?)?,
            None => ImagePath::parse(self.path.as_ref()?.as_bytes())?,
        };
        let source = match (&self.own_source_name, &self.own_source_version) {
            (Some(name), Some(version)) => Some(SourcePackage {
                name: name.clone().into_owned(),
                version: version.clone().into_owned(),
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return None,
        };
        let purl = match &self.purl {
            Some(purl) => Some(purl.parse().ok()?),
            None => None,
        };
        Some(Own {
            kind: PackageKind::parse(self.kind.as_ref()?)?,
            ecosystem: self.ecosystem.as_ref()?.clone().into_owned(),
            source,
            purl,
            path,
            layer: self.layer_index.as_ref()?.parse().ok()?,
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(notes: &[(&str, &'static str)]) -> PackageNotes<'static> {
        let mut read = PackageNotes::default();
        for (name, value) in notes {
            read.note(name, (*value).into());
        }
        read
    }

    #[test]
    fn of_syfts_files_the_one_that_we_read_counts() {
        let layer = "syft:location:0:layerID";
        let notes = package(&[
            (layer, "a"),
            ("syft:location:0:path", "/var/lib/dpkg/info/libc6.list"),
            ("syft:location:1:layerID", "b"),
            ("syft:location:1:path", "/var/lib/dpkg/status"),
            ("syft:location:2:layerID", "c"),
            ("syft:location:2:path", "/var/lib/dpkg/triggers"),
        ]);
        assert_eq!(notes.place.path, "/var/lib/dpkg/status");
        assert_eq!(notes.place.layer, "b");
        let notes = package(&[(layer, "a"), ("syft:location:1:path", "/x")]);
        assert_eq!((&*notes.place.path, &*notes.place.layer), ("/x", ""));
    }

    #[test]
    fn trivys_source_version_is_put_together() {
        let notes = package(&[
            ("aquasecurity:trivy:SrcName", "shadow"),
            ("aquasecurity:trivy:SrcVersion", "4.13+dfsg1"),
            ("aquasecurity:trivy:SrcRelease", "1"),
            ("aquasecurity:trivy:SrcEpoch", "1"),
        ]);
        assert_eq!(notes.source.whole_version(), "1:4.13+dfsg1-1");
        assert_eq!(package(&[]).source.whole_version(), "");
    }

    #[test]
    fn what_is_not_whole_is_not_ours() {
        let whole = [
            ("seareeve:kind", "deb"),
            ("seareeve:ecosystem", ""),
            ("seareeve:path", "a"),
            ("seareeve:layer:index", "0"),
        ];
        assert!(package(&whole).own().is_some());
        for missing in 0..whole.len() {
            let mut notes = whole.to_vec();
            notes.remove(missing);
            assert!(package(&notes).own().is_none(), "{missing}");
        }
        for wrong in [
            ("seareeve:kind", "exe"),
            ("seareeve:path", "../a"),
            ("seareeve:path:hex", "6"),
            ("seareeve:path:hex", "+6"),
            ("seareeve:layer:index", "-1"),
            ("seareeve:source:name", "a"),
            ("seareeve:purl", "a"),
        ] {
            let mut notes = whole.to_vec();
            notes.push(wrong);
            assert!(package(&notes).own().is_none(), "{wrong:?}");
        }
    }
}
