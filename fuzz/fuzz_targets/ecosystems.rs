//! Package databases and manifests: any bytes at the paths that ecosystems want, matched with the starter set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seareeve_image::{FileTree, LayerFiles, Limits};
use seareeve_model::{Digest, Image, Layer};
use seareeve_scan::{Examiner, ecosystems};

const PATHS: [&str; 28] = [
    "etc/os-release",
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/x",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/Packages",
    "var/lib/rpmmanifest/container-manifest-2",
    "x.dist-info/METADATA",
    "node_modules/x/package.json",
    "x.egg-info",
    "requirements.txt",
    "Pipfile.lock",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "pylock.toml",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "go.mod",
    "Cargo.lock",
    "specifications/x-1.gemspec",
    "Gemfile.lock",
    "vendor/composer/installed.json",
    "composer.lock",
    "x.deps.json",
    "packages.lock.json",
    "packages.config",
];

fuzz_target!(|data: &[u8]| {
    // The first byte says where, the rest is the file; a Debian stands below it.
    let Some((which, content)) = data.split_first() else {
        return;
    };
    let path = PATHS[usize::from(*which) % PATHS.len()];
    let base = layer(&[("etc/os-release", b"ID=debian\nVERSION_ID=12\n".as_slice())]);
    let top = layer(&[(path, content)]);
    let mut tree = FileTree::default();
    tree.apply(0, base, &Examiner::default());
    tree.apply(1, top, &Examiner::default());
    let digest = Digest::sha256(&[0; 32]);
    let plain = Layer {
        diff_id: digest.clone(),
        digest: None,
        size_bytes: 0,
        created_by: String::new(),
    };
    let image = Image {
        references: Vec::new(),
        digest: digest.clone(),
        config_digest: digest,
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        created: None,
        layers: vec![plain.clone(), plain],
    };
    let inventory = ecosystems::inventory(image, &tree, Vec::new());
    assert!(inventory.packages.is_sorted());
    let matches = seareeve_scan::match_inventory(seareeve_scan::starter::database(), &inventory);
    assert_eq!(matches.findings.len(), inventory.packages.len());
    // Whatever was read must survive being sent to a server.
    let sbom = seareeve_api::Sbom::from(&inventory);
    assert_eq!(
        seareeve_model::Inventory::try_from(sbom)
            .ok()
            .map(|i| i.packages.len()),
        Some(inventory.packages.len())
    );
});

fn layer(files: &[(&str, &[u8])]) -> LayerFiles {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, *content)
            .expect("the paths are short");
    }
    let tar = builder.into_inner().expect("a Vec takes everything");
    LayerFiles::read(tar.as_slice(), &Limits::default(), &Examiner::default(), "layer")
}
