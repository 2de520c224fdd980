//! What we write is read back as it was, whatever stands in it.

use proptest::prelude::*;
use seareeve_model::{
    Digest, Distro, Image, ImagePath, InstalledPackage, Inventory, Layer, Package, PackageKind,
    Problem, ProblemCode, Purl, SourcePackage,
};
use seareeve_scan::sbom::{self, Format};

use super::{FORMATS, image, rich, written};

#[test]
fn real_inventories_come_back_as_they_were() {
    let unknown = crate::made::inventory(&[vec![(
        "var/lib/dpkg/status".to_owned(),
        b"Package: a\nVersion: 1\n\nPackage: b\n".to_vec(),
    )]]);
    assert_eq!((unknown.packages.len(), unknown.problems.len()), (1, 2));
    let empty = crate::made::inventory(&[]);
    for inventory in [image("debian"), image("alpine"), rich(), unknown, empty] {
        for format in FORMATS {
            let document = written(format, &inventory, None);
            assert_eq!(sbom::read(&document).unwrap(), inventory, "{format:?}");
            assert_eq!(document, written(format, &inventory, None));
        }
    }
}

#[test]
fn a_document_that_differs_in_anything_has_another_name() {
    let name = |format: Format, inventory: &Inventory| {
        let document = super::json(&written(format, inventory, None));
        let name = match format {
            Format::CycloneDx => &document["serialNumber"],
            Format::Spdx => &document["documentNamespace"],
        };
        let name = name.as_str().unwrap().to_owned();
        assert!(name.starts_with("urn:uuid:") && name.len() == 45, "{name}");
        name
    };
    for format in FORMATS {
        let inventory = rich();
        let mut other = rich();
        other.packages[0].layer = 1;
        assert_ne!(name(format, &inventory), name(format, &other));
        assert_eq!(name(format, &inventory), name(format, &rich()));
    }
}

/// Letters that mean something in one of the formats, in package URLs or in our notes, and any others.
fn text() -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        2 => proptest::sample::select(vec![
            ':', '/', '@', '%', '+', '~', '-', '.', ' ', '"', '\\', '{', '}', '<', '&', '\n', 'ü', '\u{fffd}',
        ]),
        1 => any::<char>(),
    ];
    proptest::collection::vec(letter, 1..12).prop_map(|letters| letters.into_iter().collect())
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(|bytes| Digest::sha256(&bytes))
}

fn layer() -> impl Strategy<Value = Layer> {
    let parts = (
        digest(),
        proptest::option::of(digest()),
        any::<u64>(),
        prop_oneof![Just(String::new()), text()],
    );
    parts.prop_map(|(diff_id, digest, size_bytes, created_by)| Layer {
        diff_id,
        digest,
        size_bytes,
        created_by,
    })
}

fn package() -> impl Strategy<Value = Option<Package>> {
    let source = (text(), text()).prop_map(|(name, version)| SourcePackage { name, version });
    let qualifiers = prop_oneof![Just(""), Just("debian-12"), Just("x y")];
    let parts = (
        proptest::sample::select(PackageKind::ALL.to_vec()),
        text(),
        text(),
        proptest::option::of(source),
        prop_oneof![Just(String::new()), Just("Debian:12".to_owned()), text()],
        qualifiers,
        prop_oneof![Just(""), Just("a@1")],
    );
    parts.prop_map(
        |(kind, name, version, source, ecosystem, distro, upstream)| {
            let qualifiers = [("distro", distro), ("upstream", upstream)];
            // Names and versions that make no package URL are left out when an image is read.
            let purl = Purl::new(kind.as_str(), "", &name, &version, &qualifiers).ok()?;
            Some(Package {
                kind,
                name,
                version,
                source,
                ecosystem,
                purl,
            })
        },
    )
}

prop_compose! {
    fn inventory()(
        references in proptest::collection::btree_set(text(), 0..3),
        (digest, config_digest) in (digest(), digest()),
        (os, architecture) in (text(), text()),
        created in proptest::option::of(-377_705_023_201_i64..253_402_207_200),
        // Equal layers are common: all that add nothing have the same content.
        (layers, repeat) in (proptest::collection::vec(layer(), 1..4), 0..3_usize),
        distro in proptest::option::of((text(), text(), text())),
        packages in proptest::collection::vec(
            (package(), proptest::collection::vec(any::<u8>(), 0..12), 0..4_u32), 0..8),
        problems in proptest::collection::btree_set(
            (proptest::sample::select(ProblemCode::ALL.to_vec()), text(), text()), 0..12),
    ) -> Inventory {
        let mut layers = layers;
        layers.extend(std::iter::repeat_n(layers[0].clone(), repeat));
        let last = u32::try_from(layers.len()).unwrap() - 1;
        let mut packages: Vec<InstalledPackage> = packages
            .into_iter()
            .filter_map(|(package, path, layer)| Some(InstalledPackage {
                package: package?,
                path: ImagePath::parse(&path)?,
                layer: layer.min(last),
            }))
            .collect();
        packages.sort();
        packages.dedup();
        Inventory {
            image: Image {
                references: references.into_iter().collect(),
                digest,
                config_digest,
                os,
                architecture,
                created: created.map(|second| jiff::Timestamp::from_second(second).unwrap()),
                layers,
            },
            distro: distro.map(|(id, version, name)| Distro { id, version, name }),
            packages,
            problems: problems
                .into_iter()
                .map(|(code, place, message)| Problem::new(code, place, message))
                .collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_inventory_comes_back_as_it_was(inventory in inventory()) {
        for format in FORMATS {
            let document = written(format, &inventory, None);
            prop_assert_eq!(&sbom::read(&document).unwrap(), &inventory);
        }
    }
}
