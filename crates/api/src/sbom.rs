//! What the command line sends to a server instead of an image: the image's description and its packages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use seareeve_model as model;

use crate::{ReportImage, ReportProblem};

/// All that an image holds. Not an exchange format: CycloneDX and SPDX are read and written elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sbom {
    /// Version of this schema: 1.
    pub schema_version: u32,
    /// The image.
    pub image: ReportImage,
    /// The distribution, when the image says one.
    pub distro: Option<SbomDistro>,
    /// The packages.
    pub packages: Vec<SbomPackage>,
    /// What could not be read.
    pub problems: Vec<ReportProblem>,
}

/// A distribution as its `os-release` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SbomDistro {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12`; empty for rolling releases.
    pub version: String,
    /// `PRETTY_NAME`.
    pub name: String,
}

/// A source package.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct SbomSource {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A package at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SbomPackage {
    /// The type of its package URL, such as `deb`, `rpm`, `pypi` or `golang`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The source package, for distributions.
    pub source: Option<SbomSource>,
    /// OSV ecosystem with release, such as `Debian:12`; empty when the distribution is unknown.
    pub ecosystem: String,
    /// Package URL.
    pub purl: String,
    /// The file in the image that says so.
    pub path: String,
    /// Index of the layer that brought it, from 0 at the bottom.
    pub layer: u32,
}

/// Why a sent SBOM was refused. The sender's fault.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// Made by a newer or older program.
    #[error("schema version {0} is not 1")]
    Version(u32),
    /// A value is not what its field holds.
    #[error("failed to read {field}: {why}")]
    Value {
        /// The field with its index.
        field: String,
        /// What is wrong with it.
        why: String,
    },
}

impl From<&model::Inventory> for Sbom {
    fn from(inventory: &model::Inventory) -> Self {
        let package = |installed: &model::InstalledPackage| SbomPackage {
            kind: installed.package.kind.as_str().to_owned(),
            name: installed.package.name.clone(),
            version: installed.package.version.clone(),
            source: installed.package.source.as_ref().map(SbomSource::from),
            ecosystem: installed.package.ecosystem.clone(),
            purl: installed.package.purl.to_string(),
            path: installed.path.to_string(),
            layer: installed.layer,
        };
        Self {
            schema_version: 1,
            image: (&inventory.image).into(),
            distro: inventory.distro.as_ref().map(SbomDistro::from),
            packages: inventory.packages.iter().map(package).collect(),
            problems: inventory.problems.iter().map(ReportProblem::from).collect(),
        }
    }
}

impl TryFrom<Sbom> for model::Inventory {
    type Error = SbomError;

    fn try_from(sbom: Sbom) -> Result<Self, Self::Error> {
        if sbom.schema_version != 1 {
            return Err(SbomError::Version(sbom.schema_version));
        }
        let image = image(sbom.image)?;
        let layers = image.layers.len();
        let mut packages = Vec::with_capacity(sbom.packages.len());
        for (index, package) in sbom.packages.into_iter().enumerate() {
            packages.push(installed_package(index, package, layers)?);
        }
        packages.sort();
        packages.dedup();
        let problem = |(index, problem): (usize, ReportProblem)| {
            let code = model::ProblemCode::parse(&problem.code)
                .ok_or_else(|| value(format!("problems[{index}].code"), "no such code"))?;
            Ok(model::Problem::new(code, problem.place, problem.message))
        };
        Ok(Self {
            image,
            distro: sbom.distro.map(model::Distro::from),
            packages,
            problems: sbom
                .problems
                .into_iter()
                .enumerate()
                .map(problem)
                .collect::<Result<_, SbomError>>()?,
        })
    }
}

fn value(field: impl Into<String>, why: impl ToString) -> SbomError {
    SbomError::Value {
        field: field.into(),
        why: why.to_string(),
    }
}

fn image(image: ReportImage) -> Result<model::Image, SbomError> {
    let digest = |field: &str, text: &str| {
        text.parse::<model::Digest>()
            .map_err(|why| value(field, why))
    };
    let layer = |layer: crate::ReportLayer| {
        Ok(model::Layer {
            diff_id: digest("image.layers.diff_id", &layer.diff_id)?,
            digest: layer
                .digest
                .map(|text| digest("image.layers.digest", &text))
                .transpose()?,
            size_bytes: layer.size_bytes,
            created_by: layer.created_by,
        })
    };
    let mut references = image.references;
    references.sort();
    references.dedup();
    Ok(model::Image {
        references,
        digest: digest("image.digest", &image.digest)?,
        config_digest: digest("image.config_digest", &image.config_digest)?,
        os: image.os,
        architecture: image.architecture,
        created: image.created,
        layers: image
            .layers
            .into_iter()
            .map(layer)
            .collect::<Result<_, SbomError>>()?,
    })
}

fn installed_package(
    index: usize,
    package: SbomPackage,
    layers: usize,
) -> Result<model::InstalledPackage, SbomError> {
    let field = |name: &str| format!("packages[{index}].{name}");
    if package.name.is_empty() || package.version.is_empty() {
        return Err(value(field("name"), "name and version may not be empty"));
    }
    if usize::try_from(package.layer).map_or(true, |layer| layer >= layers) {
        return Err(value(
            field("layer"),
            format!("layer {} of {layers}", package.layer),
        ));
    }
    let path = model::ImagePath::parse(package.path.as_bytes());
    Ok(model::InstalledPackage {
        package: model::Package {
            kind: model::PackageKind::parse(&package.kind)
                .ok_or_else(|| value(field("kind"), "no such package type"))?,
            name: package.name,
            version: package.version,
            source: package.source.map(|source| model::SourcePackage {
                name: source.name,
                version: source.version,
            }),
            ecosystem: package.ecosystem,
            purl: package
                .purl
                .parse()
                .map_err(|why| value(field("purl"), why))?,
        },
        path: path.ok_or_else(|| value(field("path"), "not a path inside an image"))?,
        layer: package.layer,
    })
}

impl From<&model::Distro> for SbomDistro {
    fn from(distro: &model::Distro) -> Self {
        Self {
            id: distro.id.clone(),
            version: distro.version.clone(),
            name: distro.name.clone(),
        }
    }
}

impl From<SbomDistro> for model::Distro {
    fn from(distro: SbomDistro) -> Self {
        Self {
            id: distro.id,
            version: distro.version,
            name: distro.name,
        }
    }
}

impl From<&model::SourcePackage> for SbomSource {
    fn from(source: &model::SourcePackage) -> Self {
        Self {
            name: source.name.clone(),
            version: source.version.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sbom() -> Sbom {
        let digest = format!("sha256:{}", "ab".repeat(32));
        Sbom {
            schema_version: 1,
            image: ReportImage {
                references: vec!["test/app:1".to_owned()],
                digest: digest.clone(),
                config_digest: digest.clone(),
                os: "linux".to_owned(),
                architecture: "amd64".to_owned(),
                created: "2023-11-14T22:13:20Z".parse().ok(),
                layers: vec![crate::ReportLayer {
                    diff_id: digest,
                    digest: None,
                    size_bytes: 10_240,
                    created_by: "COPY . /".to_owned(),
                }],
            },
            distro: None,
            packages: vec![SbomPackage {
                kind: "pypi".to_owned(),
                name: "PyYAML".to_owned(),
                version: "5.3".to_owned(),
                source: None,
                ecosystem: "PyPI".to_owned(),
                purl: "pkg:pypi/pyyaml@5.3".to_owned(),
                path: "usr/lib/PyYAML-5.3.dist-info/METADATA".to_owned(),
                layer: 0,
            }],
            problems: vec![],
        }
    }

    #[test]
    fn survives_the_round_trip() {
        let inventory = model::Inventory::try_from(sbom()).unwrap();
        assert_eq!(Sbom::from(&inventory), sbom());
    }

    #[test]
    fn refuses_what_is_not_an_sbom_of_ours() {
        type Case = (&'static str, fn(&mut Sbom));
        let cases: [Case; 6] = [
            ("schema version 2 is not 1", |sbom| sbom.schema_version = 2),
            ("failed to read packages[0].layer: layer 1 of 1", |sbom| {
                sbom.packages[0].layer = 1
            }),
            (
                "failed to read packages[0].kind: no such package type",
                |sbom| sbom.packages[0].kind = "exe".to_owned(),
            ),
            (
                "failed to read packages[0].path: not a path inside an image",
                |sbom| {
                    sbom.packages[0].path = "../x".to_owned();
                },
            ),
            (
                "failed to read packages[0].name: name and version may not be empty",
                |sbom| {
                    sbom.packages[0].version.clear();
                },
            ),
            (
                "failed to read image.digest: \"latest\" is not a digest such as sha256:<64 hexadecimal digits>",
                |sbom| {
                    sbom.image.digest = "latest".to_owned();
                },
            ),
        ];
        for (message, spoil) in cases {
            let mut sbom = sbom();
            spoil(&mut sbom);
            assert_eq!(
                model::Inventory::try_from(sbom).unwrap_err().to_string(),
                message
            );
        }
    }
}
