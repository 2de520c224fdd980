//! Layers that were read before are not read again, and nobody can lie his way into the cache.

use std::sync::Arc;

use camino::Utf8Path;
use seareeve_image::{LayerCache, Limits, Options, Verify};
use seareeve_model::ProblemCode;

use crate::support::Entry::File;
use crate::support::{Oci, codes, docker, gzip, listing, oci, read_bytes, tar};

const MIB: u64 = 1 << 20;

fn options(folder: &Utf8Path, version: &str, verify: Verify) -> Options {
    let cache = LayerCache::open(folder, version, 64 * MIB).unwrap();
    Options {
        cache: Some(Arc::new(cache)),
        verify,
        ..Options::default()
    }
}

fn layer() -> Vec<u8> {
    tar(&[File("etc/os-release", b"ID=debian"), File(".wh.gone", b"")])
}

fn image() -> Oci {
    oci(&[(layer(), gzip(&layer()))])
}

/// The same image with bytes in place of its layer that nothing can unpack.
fn without_its_layer(mut image: Oci) -> Oci {
    for (_, bytes) in image.blobs.iter_mut().filter(|(_, b)| b[0] != b'{') {
        *bytes = vec![0x55; bytes.len()];
    }
    image
}

#[test]
fn a_layer_that_was_read_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let first = read_bytes(&image().archive(), &options(folder, "1", Verify::Packed)).unwrap();
    assert_eq!(first.problems, []);
    let unreadable = without_its_layer(image()).archive();
    let second = read_bytes(&unreadable, &options(folder, "1", Verify::Packed)).unwrap();
    assert_eq!(second.problems, []);
    assert_eq!((second.tree, second.image), (first.tree, first.image));

    // Another version of the selector looks for other things.
    let other = read_bytes(&unreadable, &options(folder, "2", Verify::Packed)).unwrap();
    assert!(other.tree.is_empty());
    assert!(codes(&other.problems).contains(&ProblemCode::LayerUnreadable));

    // Once the diff id is known, the layer is recognised in any packing.
    read_bytes(
        &image().archive(),
        &options(folder, "3", Verify::Everything),
    )
    .unwrap();
    let mut plain = docker(&[layer()]);
    let name = plain.windows(8).position(|at| at == b"ID=debia").unwrap();
    plain[name] = b'?';
    let third = read_bytes(&plain, &options(folder, "3", Verify::Packed)).unwrap();
    assert_eq!(listing(&third.tree), ["etc/os-release@0=ID=debian"]);
}

#[test]
fn what_an_image_only_claims_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let honest = layer();
    let hostile = tar(&[File("etc/os-release", b"ID=none")]);
    // Claims the diff id of the honest layer, packed and plain, and the honest blob's digest for another blob.
    let lies = [
        oci(&[(honest.clone(), gzip(&hostile))]).archive(),
        {
            let mut archive = docker(std::slice::from_ref(&honest));
            let at = archive
                .windows(9)
                .position(|at| at == b"ID=debian")
                .unwrap();
            archive[at..at + 9].copy_from_slice(b"ID=nobody");
            archive
        },
        {
            let mut image = image();
            for (_, bytes) in image.blobs.iter_mut().filter(|(_, b)| b[0] != b'{') {
                *bytes = gzip(&hostile);
            }
            image.archive()
        },
    ];
    for verify in [Verify::Packed, Verify::Everything] {
        for lie in &lies {
            read_bytes(lie, &options(folder, "1", verify)).unwrap();
        }
    }
    let truth = read_bytes(&image().archive(), &options(folder, "1", Verify::Packed)).unwrap();
    assert_eq!(listing(&truth.tree), ["etc/os-release@0=ID=debian"]);
    assert_eq!(truth.problems, []);
}

#[test]
fn damaged_entries_are_read_again_and_old_ones_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let entries = || -> Vec<_> {
        let entries = folder.read_dir_utf8().unwrap();
        entries.map(|entry| entry.unwrap().into_path()).collect()
    };
    read_bytes(&image().archive(), &options(folder, "1", Verify::Packed)).unwrap();
    for damage in [&b""[..], b"rubbish", &[0x28, 0xb5, 0x2f, 0xfd, 0, 0]] {
        for entry in entries() {
            std::fs::write(entry, damage).unwrap();
        }
        let read = read_bytes(&image().archive(), &options(folder, "1", Verify::Packed)).unwrap();
        assert_eq!(listing(&read.tree), ["etc/os-release@0=ID=debian"]);
    }

    let small = |layer: &[u8]| {
        let cache = LayerCache::open(folder, "1", 1200).unwrap();
        let options = Options {
            cache: Some(Arc::new(cache)),
            verify: Verify::Everything,
            ..Options::default()
        };
        read_bytes(&docker(&[layer.to_vec()]), &options).unwrap();
    };
    for number in 0..20_u8 {
        small(&tar(&[File("file", &[number; 100])]));
    }
    let bytes: u64 = entries()
        .iter()
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(!entries().is_empty());
    assert!(
        bytes <= 1200,
        "{bytes} bytes in {} entries",
        entries().len()
    );
}

#[test]
fn a_layer_is_not_taken_for_the_one_that_it_claims_to_unpack_to() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let hostile = tar(&[File("etc/os-release", b"ID=none")]);
    let lie = oci(&[(layer(), gzip(&hostile))]).archive();
    for verify in [Verify::Everything, Verify::Packed] {
        let options = options(folder, "1", verify);
        read_bytes(&image().archive(), &options).unwrap();
        // Once read, and once from the cache, which knows what the layer unpacked to.
        for _ in 0..2 {
            let read = read_bytes(&lie, &options).unwrap();
            assert_eq!(listing(&read.tree), ["etc/os-release@0=ID=none"]);
            assert_eq!(codes(&read.problems), [ProblemCode::ContentMismatch]);
        }
    }
    // What was not compared before is no answer to who wants it compared.
    read_bytes(&lie, &options(folder, "2", Verify::Packed)).unwrap();
    let read = read_bytes(&lie, &options(folder, "2", Verify::Everything)).unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::ContentMismatch]);
}

#[test]
fn limits_hold_for_what_comes_from_the_cache() {
    let layers = ["a", "b", "c"].map(|name| tar(&[File(name, &[b'x'; 1000])]));
    let image = oci(&layers.map(|layer| (layer.clone(), gzip(&layer)))).archive();
    let small = |limits: &mut Limits| limits.kept_bytes = 2500;
    let short = |limits: &mut Limits| limits.image_bytes = 6000;
    let limiting: [fn(&mut Limits); 2] = [small, short];
    for change in limiting {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let mut limited = Options::default();
        change(&mut limited.limits);
        let cold = read_bytes(&image, &limited).unwrap();
        assert_eq!(codes(&cold.problems), [ProblemCode::LimitReached]);

        let mut cached = options(folder, "1", Verify::Packed);
        assert_eq!(read_bytes(&image, &cached).unwrap().problems, []);
        change(&mut cached.limits);
        let warm = read_bytes(&image, &cached).unwrap();
        assert_eq!((warm.tree, warm.problems), (cold.tree, cold.problems));
    }
}

#[test]
fn what_killed_processes_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let [old, new] = [".half-1", ".half-2"].map(|name| folder.join(name));
    for path in [&old, &new] {
        std::fs::write(path, "half an entry").unwrap();
    }
    let file = std::fs::File::options().write(true).open(&old).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    LayerCache::open(folder, "1", MIB).unwrap();
    assert_eq!((old.exists(), new.exists()), (false, true));
}
