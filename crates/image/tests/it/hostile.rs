//! Images that lie, break off, blow up or never end.

use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use seareeve_image::{Limits, Options, ReadError, Source, Verify, read};
use seareeve_model::{ImagePath, ProblemCode};
use serde_json::json;

use crate::support::Entry::File;
use crate::support::{codes, config, docker, gzip, listing, oci, read_bytes, sha256, tar, zstd};

fn limited(change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = Options::default();
    change(&mut options.limits);
    options
}

fn verifying() -> Options {
    Options {
        verify: Verify::Everything,
        ..Options::default()
    }
}

#[test]
fn every_truncation_of_an_archive_ends_well() {
    let layer = tar(&[File("a", b"1"), File("b", b"2")]);
    let image = oci(&[(layer.clone(), gzip(&layer)), (layer.clone(), zstd(&layer))]);
    for archive in [docker(std::slice::from_ref(&layer)), image.archive()] {
        let whole = read_bytes(&archive, &Options::default()).unwrap();
        for length in 0..archive.len() {
            match read_bytes(&archive[..length], &Options::default()) {
                Err(_) => {}
                // Only the padding at the end may be lost without anybody noticing.
                Ok(read) if read.problems.is_empty() => {
                    assert_eq!(read.tree, whole.tree, "at {length}");
                }
                Ok(_) => {}
            }
        }
    }
}

#[test]
fn every_truncation_of_a_packed_layer_is_said() {
    let layer = tar(&[File("a", b"1"), File("b", b"2")]);
    for packed in [layer.clone(), gzip(&layer), zstd(&layer)] {
        for length in 0..packed.len() {
            let image = oci(&[(layer.clone(), packed[..length].to_vec())]);
            let read = read_bytes(&image.archive(), &verifying()).unwrap();
            assert_ne!(read.problems, [], "at {length}");
            assert_eq!(
                read.problems[0].place,
                format!("sha256:{}", sha256(&packed[..length]))
            );
        }
    }
}

#[test]
fn a_broken_layer_does_not_cost_the_others() {
    let good = tar(&[File("good", b"1")]);
    let mut broken = gzip(&tar(&[File("bad", &[7; 9000]), File("late", b"")]));
    let middle = broken.len() / 2;
    broken[middle] ^= 0x55;
    let other = tar(&[File("other", b"2")]);
    let image = oci(&[
        (good.clone(), gzip(&good)),
        (good.clone(), broken.clone()),
        (other.clone(), zstd(&other)),
    ]);
    let read = read_bytes(&image.archive(), &Options::default()).unwrap();
    assert_eq!(listing(&read.tree), ["good@0=1", "other@2=2"]);
    assert!(codes(&read.problems).contains(&ProblemCode::LayerUnreadable));
    assert!(
        read.problems
            .iter()
            .all(|p| p.place == format!("sha256:{}", sha256(&broken)))
    );
}

#[test]
fn damage_at_the_end_of_gzip_costs_nothing_before_it() {
    let layer = tar(&[File("a", b"1"), File("b", &[7; 700_000])]);
    let good = gzip(&layer);
    let damaged = |at: usize| {
        let mut packed = good.clone();
        let at = packed.len() - at;
        packed[at] ^= 1;
        packed
    };
    let said = |archive: &[u8]| {
        let read = read_bytes(archive, &Options::default()).unwrap();
        assert_eq!(read.tree.len(), 2);
        read.problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect::<Vec<_>>()
    };
    let in_layout = |packed: Vec<u8>| said(&oci(&[(layer.clone(), packed)]).archive());
    let rest = "the rest of the layer could not be read";
    assert_eq!(
        in_layout(damaged(1)),
        [format!("{rest}: the size of the gzip stream is wrong")]
    );
    assert_eq!(
        in_layout([&good[..], b"x"].concat()),
        [format!("{rest}: garbage follows the gzip stream")]
    );
    assert_eq!(
        in_layout(good[..good.len() - 1].to_vec()),
        [format!("{rest}: the gzip stream ends too early")]
    );
    assert_eq!(in_layout([&good[..], &[0; 512]].concat()), [""; 0]);
    // The packed bytes have the digest that they should have, so nobody needs a checksum.
    assert_eq!(in_layout(damaged(8)), [""; 0]);
    assert_eq!(
        said(&docker(&[damaged(8)])),
        [format!("{rest}: the checksum of the gzip stream is wrong")]
    );
}

#[test]
fn wrong_digests_and_sizes_of_local_images_are_said() {
    let layer = tar(&[File("a", b"1")]);
    let lie = tar(&[File("b", b"1")]);
    // The configuration has the diff id of another layer.
    let image = oci(&[(lie.clone(), gzip(&layer))]);
    let read = read_bytes(&image.archive(), &verifying()).unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::ContentMismatch]);
    assert_eq!(read.image.layers[0].diff_id.hex(), sha256(&layer));
    // Nobody asked for more than what came packed to be what the manifest says, and it is.
    let read = read_bytes(&image.archive(), &Options::default()).unwrap();
    assert_eq!(read.problems, []);

    // Every blob has another content than its name says.
    let mut image = oci(&[(layer.clone(), gzip(&layer))]);
    for (_, bytes) in &mut image.blobs {
        if bytes[0] == b'{' {
            bytes.push(b' ');
        } else {
            *bytes = gzip(&tar(&[File("c", b"other")]));
        }
    }
    let read = read_bytes(&image.archive(), &verifying()).unwrap();
    // Manifest, configuration, size of the layer, its digest, its diff id.
    assert_eq!(codes(&read.problems), [ProblemCode::ContentMismatch; 5]);
    let read = read_bytes(&image.archive(), &Options::default()).unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::ContentMismatch; 4]);

    // A layer that lies uncompressed in the archive is hashed only when that is asked for.
    let mut image = oci(&[(layer.clone(), layer.clone())]);
    for (_, bytes) in image.blobs.iter_mut().filter(|(_, b)| b[0] != b'{') {
        bytes.clone_from(&lie);
    }
    let read = read_bytes(&image.archive(), &verifying()).unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::ContentMismatch; 2]);
}

#[test]
fn bombs_stop_at_the_limit() {
    let zeros = vec![0; 8 << 20];
    let layer = tar(&[
        File("first", b"1"),
        File("zeros", &zeros),
        File("last", b"2"),
    ]);
    for packed in [gzip(&layer), zstd(&layer)] {
        let image = oci(&[(layer.clone(), packed)]).archive();
        let ratio = limited(|limits| {
            limits.ratio = 20;
            limits.ratio_floor_bytes = 1 << 20;
        });
        let bytes = limited(|limits| limits.layer_bytes = 1 << 20);
        let total = limited(|limits| limits.image_bytes = 1 << 20);
        for options in [ratio, bytes, total] {
            let read = read_bytes(&image, &options).unwrap();
            assert_eq!(listing(&read.tree), ["first@0=1"]);
            assert_eq!(codes(&read.problems), [ProblemCode::LimitReached]);
            assert!(read.image.layers[0].size_bytes < 3 << 20);
        }
    }
}

#[test]
fn kept_files_have_limits() {
    let layer = tar(&[
        File("big", &[1; 2000]),
        File("a", &[2; 600]),
        File("b", &[3; 600]),
    ]);
    let image = docker(&[layer]);
    let read = read_bytes(&image, &limited(|limits| limits.file_bytes = 1000)).unwrap();
    assert_eq!(read.tree.len(), 2);
    assert_eq!(codes(&read.problems), [ProblemCode::LimitReached]);
    let read = read_bytes(&image, &limited(|limits| limits.kept_bytes = 1000)).unwrap();
    assert_eq!(read.tree.len(), 1);
    assert_eq!(codes(&read.problems), [ProblemCode::LimitReached; 2]);
}

#[test]
fn a_file_too_large_to_keep_still_hides_the_lower_one() {
    let small = tar(&[File("status", b"old")]);
    let large = tar(&[File("status", &[0; 2000])]);
    let image = docker(&[small, large]);
    let read = read_bytes(&image, &limited(|limits| limits.file_bytes = 1000)).unwrap();
    assert!(read.tree.is_empty());
}

#[test]
fn entries_layers_and_documents_have_limits() {
    let layer = tar(&[File("a", b""), File("b", b""), File("c", b"")]);
    let image = docker(&[layer.clone(), layer.clone()]);
    let read = read_bytes(&image, &limited(|limits| limits.layer_entries = 2)).unwrap();
    assert_eq!(listing(&read.tree), ["a@1=", "b@1="]);
    assert_eq!(codes(&read.problems), [ProblemCode::LimitReached; 2]);
    let read = read_bytes(&image, &limited(|limits| limits.layer_replacements = 1)).unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::LimitReached; 2]);
    let read = read_bytes(&image, &limited(|limits| limits.packed_layer_bytes = 100));
    // The size of a plain layer is in the archive's own headers.
    assert_eq!(
        codes(&read.unwrap().problems),
        [ProblemCode::LimitReached; 2]
    );
    for options in [
        limited(|limits| limits.layers = 1),
        limited(|limits| limits.document_bytes = 20),
        limited(|limits| limits.archive_entries = 2),
    ] {
        let error = read_bytes(&image, &options).unwrap_err();
        assert!(matches!(error, ReadError::LimitReached { .. }), "{error}");
    }
}

#[test]
fn problems_have_an_end() {
    let bad: Vec<_> = (0..250).map(|_| File("../x", b"")).collect();
    let read = read_bytes(&docker(&[tar(&bad)]), &Options::default()).unwrap();
    assert_eq!(read.problems.len(), 101);
    assert_eq!(
        read.problems[100].message,
        "and 150 more problems that are not listed"
    );
}

#[test]
fn broken_documents_are_errors() {
    let layer = tar(&[File("a", b"")]);
    let good = config(std::slice::from_ref(&layer));
    let manifest = br#"[{"Config":"c","Layers":["l"]}]"#;
    let deep = "[".repeat(100_000);
    let documents: [(&[u8], &[u8]); 8] = [
        (b"", &good),
        (b"[]", &good),
        (deep.as_bytes(), &good),
        (br#"[{"Config":"../../etc/passwd","Layers":["l"]}]"#, &good),
        (br#"[{"Config":"c","Layers":["l","l"]}]"#, &good),
        (manifest, b"{}"),
        (manifest, deep.as_bytes()),
        (manifest, br#"{"rootfs":{"diff_ids":["sha256:../../x"]}}"#),
    ];
    for (manifest, config) in documents {
        let archive = tar(&[
            File("l", &layer),
            File("c", config),
            File("manifest.json", manifest),
        ]);
        let error = read_bytes(&archive, &Options::default()).unwrap_err();
        assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
    }
    let mut image = oci(&[(layer.clone(), layer)]);
    image.index = json!({"schemaVersion": 1, "manifests": []});
    let error = read_bytes(&image.archive(), &Options::default()).unwrap_err();
    assert!(matches!(error, ReadError::Unsupported { .. }), "{error}");
    // Both kinds of document at once.
    image.index = json!({"schemaVersion": 2, "manifests": [], "layers": []});
    let error = read_bytes(&image.archive(), &Options::default()).unwrap_err();
    assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
}

#[test]
fn an_index_that_leads_to_itself_ends() {
    // A digest cannot name itself, but a local blob may lie about its name.
    let hex = "ab".repeat(32);
    let index =
        json!({"schemaVersion": 2, "manifests": [{"digest": format!("sha256:{hex}"), "size": 1}]});
    let text = index.to_string();
    let archive = tar(&[
        File("index.json", text.as_bytes()),
        File(&format!("blobs/sha256/{hex}"), text.as_bytes()),
    ]);
    let error = read_bytes(&archive, &Options::default()).unwrap_err();
    assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
}

#[test]
fn reading_can_be_cancelled() {
    let zeros = vec![0; 4 << 20];
    let layer = tar(&[File("zeros", &zeros)]);
    let image = oci(&[(layer.clone(), gzip(&layer))]).archive();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), image).unwrap();
    let source = Source::Archive(Utf8PathBuf::from_path_buf(file.path().to_owned()).unwrap());
    let calls = std::sync::atomic::AtomicU32::new(0);
    let count = || calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let whole = read(
        &source,
        &Options::default(),
        &|_: &ImagePath| false,
        &|_| {
            count();
            ControlFlow::Continue(())
        },
    );
    assert!(whole.is_ok());
    let all = calls.load(std::sync::atomic::Ordering::Relaxed);
    assert!(all > 10);
    for stop_at in 0..8 {
        calls.store(0, std::sync::atomic::Ordering::Relaxed);
        let stopped = read(
            &source,
            &Options::default(),
            &|_: &ImagePath| false,
            &|_| {
                if count() < stop_at {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            },
        );
        assert!(matches!(stopped, Err(ReadError::Cancelled)), "at {stop_at}");
    }
}
