//! An entry of the layer cache that is damaged, or of another program: it counts as none, or is a layer of which
//! the rest of the scan must not break. With an even first byte the rest is the entry itself, otherwise its packed
//! form.

use std::sync::{Arc, LazyLock};

use camino::Utf8Path;
use seareeve_image::{LayerCache, Options, Source, Verify};
use seareeve_scan::Examiner;
use tempfile::TempDir;

use crate::Target;
use crate::made;

const HEX: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
const VERSION: &str = "v";

pub(super) const TARGET: Target = Target {
    name: "layer_cache",
    run,
    longest: 8 << 10,
    seeds,
    words: &[
        "etc/os-release",
        "var/lib/dpkg/status",
        "usr/bin/app",
        "ID=debian",
    ],
};

/// Where the entry lies, and an image whose only layer is that of the entry.
struct Place {
    folder: TempDir,
    archive: Vec<u8>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":["sha256:{HEX}"]}}}}"#
    );
    let manifest = r#"[{"Config":"c.json","Layers":["layer.tar"]}]"#;
    Place {
        folder: tempfile::tempdir().expect("a folder for temporary files"),
        archive: made::tar(&[
            ("c.json", config.as_bytes()),
            ("manifest.json", manifest.as_bytes()),
            ("layer.tar", &made::gzip(&made::tar(&[("a", b"b")]))),
        ]),
    }
});

fn run(input: &[u8]) {
    let Some((choice, entry)) = input.split_first() else {
        return;
    };
    let folder = Utf8Path::from_path(PLACE.folder.path()).expect("a UTF-8 path");
    let path = folder.join(format!("{VERSION}-sha256-{HEX}.layer"));
    let packed = match choice % 2 {
        0 => zstd::encode_all(entry, 1).expect("a Vec takes any amount"),
        _ => entry.to_vec(),
    };
    std::fs::write(&path, packed).expect("space for a temporary file");
    let cache = LayerCache::open(folder, VERSION, 1 << 20).expect("a folder of ours");
    let (_file, archive) = made::temporary(&PLACE.archive);
    let options = Options {
        limits: made::limits(),
        verify: Verify::Packed,
        cache: Some(Arc::new(cache)),
        ..Options::default()
    };
    let examiner = Examiner::default();
    let go_on = |_| std::ops::ControlFlow::Continue(());
    let contents = seareeve_image::read(&Source::Archive(archive), &options, &examiner, &go_on)
        .expect("the image is sound, whatever the cache says");
    made::check(&examiner.examine(contents, None).inventory);
}

/// What the program itself writes about a layer with packages, a link, a whiteout and a binary.
fn seeds() -> Vec<Vec<u8>> {
    let layer = made::tar_of(&[
        made::Entry::File(b"usr/lib/os-release", b"ID=debian\nVERSION_ID=12\n"),
        made::Entry::Link(b"etc/os-release", b"../usr/lib/os-release"),
        made::Entry::File(
            b"var/lib/dpkg/status",
            b"Package: a\nVersion: 1\nStatus: install ok installed\n",
        ),
        made::Entry::File(b"etc/.wh.gone", b""),
        made::Entry::File(b"opt/.wh..wh..opq", b""),
        made::Entry::File(b"usr/bin/app", &super::binaries::go_program()),
    ]);
    let manifest = r#"[{"Config":"c.json","Layers":["layer.tar"]}]"#;
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":["sha256:{HEX}"]}}}}"#
    );
    let archive = made::tar(&[
        ("c.json", config.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
        ("layer.tar", &made::gzip(&layer)),
    ]);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    let cache = LayerCache::open(path, VERSION, 1 << 20).expect("a folder of ours");
    let (_file, archive) = made::temporary(&archive);
    let options = Options {
        verify: Verify::Everything,
        cache: Some(Arc::new(cache)),
        ..Options::default()
    };
    let examiner = Examiner::default();
    let go_on = |_| std::ops::ControlFlow::Continue(());
    seareeve_image::read(&Source::Archive(archive), &options, &examiner, &go_on)
        .expect("a sound image");
    let mut seeds = Vec::new();
    for entry in folder.path().read_dir().expect("a folder of ours") {
        let packed = std::fs::read(entry.expect("an entry").path()).expect("an entry");
        let plain = zstd::decode_all(packed.as_slice()).expect("a packed entry");
        for (choice, entry) in [(0, plain), (1, packed)] {
            let mut seed = vec![choice];
            seed.extend(entry);
            seeds.push(seed);
        }
    }
    seeds
}
