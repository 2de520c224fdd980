//! Images that lie, break off, blow up or never end.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use camino::Utf8PathBuf;
use seareeve_image::{Limits, Options, ReadError, Selector, Source, Verify, read};
use seareeve_model::{ImagePath, ProblemCode};
use serde_json::json;

use crate::support::Entry::{Dir, File};
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
fn the_checksum_of_zstd_is_compared_where_no_digest_is() {
    let layer = tar(&[File("a", b"1"), File("b", &[7; 700_000])]);
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(&layer).unwrap();
    let mut packed = encoder.finish().unwrap();
    if let Some(last) = packed.last_mut() {
        *last ^= 1;
    }
    let said = |archive: &[u8]| {
        let read = read_bytes(archive, &Options::default()).unwrap();
        let messages = read.problems.into_iter().map(|problem| problem.message);
        messages.collect::<Vec<_>>()
    };
    assert_eq!(
        said(&oci(&[(layer.clone(), packed.clone())]).archive()),
        [""; 0]
    );
    assert_eq!(
        said(&docker(&[packed])),
        ["the rest of the layer could not be read: Restored data doesn't match checksum"]
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

/// A packed layer whose first block is a whole tar header too: `pack` puts bytes of our choice behind a header of
/// `head` bytes.
fn disguised(head: usize, pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut extra = vec![0; 512 - head];
    while !pack(&extra).len().is_multiple_of(512) {
        extra.push(0);
    }
    let packed = pack(&extra);
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..head].copy_from_slice(&packed[..head]);
    header.set_mode(0o644);
    header.set_size(packed.len() as u64 - 512);
    header.set_cksum();
    extra[..512 - head].copy_from_slice(&header.as_bytes()[head..]);
    pack(&extra)
}

#[test]
fn a_packed_layer_that_looks_like_tar_is_unpacked() {
    let layer = tar(&[File("var/lib/dpkg/status", b"Package: openssl")]);
    // A gzip header with an extra field (RFC 1952, section 2.3.1.1), and a skippable frame (RFC 8878, section 3.1.2).
    let as_gzip = disguised(12, |extra| {
        let out = flate2::GzBuilder::new().extra(extra);
        let mut encoder = out.write(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&layer).unwrap();
        encoder.finish().unwrap()
    });
    let as_zstd = disguised(8, |extra| {
        let length = u32::try_from(extra.len()).unwrap().to_le_bytes();
        [&[0x50, 0x2a, 0x4d, 0x18], &length[..], extra, &zstd(&layer)].concat()
    });
    for packed in [as_gzip, as_zstd] {
        assert_eq!(&packed[257..262], b"ustar");
        for archive in [
            oci(&[(layer.clone(), packed.clone())]).archive(),
            docker(std::slice::from_ref(&packed)),
        ] {
            let read = read_bytes(&archive, &Options::default()).unwrap();
            assert_eq!(
                listing(&read.tree),
                ["var/lib/dpkg/status@0=Package: openssl"]
            );
        }
    }
    // What some engines unpack and we do not is no tar archive either.
    for magic in [&b"\xfd7zXZ\0"[..], b"BZh9"] {
        let mut layer = tar(&[File("file", b"")]);
        layer[..magic.len()].copy_from_slice(magic);
        layer[148..156].fill(b' ');
        let sum: u32 = layer[..512].iter().map(|byte| u32::from(*byte)).sum();
        layer[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let read = read_bytes(&docker(&[layer]), &Options::default()).unwrap();
        assert_eq!(codes(&read.problems), [ProblemCode::LayerUnreadable]);
    }
}

#[test]
fn paths_that_are_only_remembered_have_a_limit() {
    let many: Vec<_> = (0..200).map(|_| Dir("d/")).collect();
    let image = docker(&[tar(&many), tar(&many)]);
    let read = read_bytes(&image, &limited(|limits| limits.kept_bytes = 1000)).unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::LimitReached; 2]);
}

#[test]
fn layers_that_are_read_together_share_the_limit_of_the_image() {
    let layers =
        ["a", "b", "c", "d"].map(|name| tar(&[File(name, b"x"), File("zeros", &[0; 1 << 20])]));
    let image = oci(&layers.map(|layer| (layer.clone(), gzip(&layer)))).archive();
    let read = |threads| {
        let mut options = limited(|limits| limits.image_bytes = 5 << 19);
        options.threads = NonZeroUsize::new(threads).unwrap();
        let most = AtomicU64::new(0);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&image).unwrap();
        let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).unwrap();
        let contents = read(
            &Source::Archive(path),
            &options,
            &|_: &ImagePath| true,
            &|now| {
                // Told of the same bytes once, also when they are read again.
                assert!(
                    most.fetch_max(now.bytes_read, Relaxed) <= now.bytes_read || now.layers == 0
                );
                ControlFlow::Continue(())
            },
        );
        contents.unwrap()
    };
    let (alone, together) = (read(1), read(4));
    assert_eq!(codes(&alone.problems), [ProblemCode::LimitReached; 2]);
    assert_eq!(
        (together.tree, together.problems),
        (alone.tree, alone.problems)
    );
}

#[test]
fn zstd_windows_have_a_limit() {
    let packed = |layer: &[u8], log| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(layer).unwrap();
        encoder.finish().unwrap()
    };
    let layers = ["a", "b", "c", "d"].map(|name| tar(&[File(name, b"x")]));
    let logs = [23, 24, 26, 27];
    let image = layers.iter().zip(logs);
    let image: Vec<_> = image
        .map(|(layer, log)| (layer.clone(), packed(layer, log)))
        .collect();
    let read = read_bytes(&oci(&image).archive(), &Options::default()).unwrap();
    assert_eq!(listing(&read.tree), ["a@0=x", "b@1=x", "c@2=x"]);
    assert_eq!(codes(&read.problems), [ProblemCode::LayerUnreadable]);
    // A frame behind the first one asks for more than that.
    let late = [packed(&layers[0], 20), packed(&layers[1], 26)].concat();
    let read = read_bytes(
        &oci(&[(layers[0].clone(), late)]).archive(),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(codes(&read.problems), [ProblemCode::LayerUnreadable]);
}

/// Keeps everything, and what was there before it was rewritten.
struct Rewritten;

impl Selector for Rewritten {
    fn keeps(&self, _: &ImagePath) -> bool {
        true
    }

    fn keeps_history(&self, _: &ImagePath) -> bool {
        true
    }
}

#[test]
fn many_small_files_that_every_layer_rewrites_are_forgotten_in_time() {
    let names: Vec<String> = (0..4000)
        .map(|number| format!("status.d/{number:04}"))
        .collect();
    let entries: Vec<_> = names.iter().map(|name| File(name, b"x")).collect();
    let layer = tar(&entries);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&docker(&vec![layer; 12])).unwrap();
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).unwrap();
    let trees = [1, 4].map(|threads| {
        let mut options = limited(|limits| limits.kept_bytes = 8 << 20);
        options.threads = NonZeroUsize::new(threads).unwrap();
        let source = Source::Archive(path.clone());
        let contents = read(
            &source,
            &options,
            &Rewritten,
            &|_| ControlFlow::Continue(()),
        );
        let contents = contents.unwrap();
        assert_eq!(contents.tree.len(), names.len());
        assert!(
            contents
                .problems
                .iter()
                .all(|p| p.code == ProblemCode::LimitReached)
        );
        assert!(!contents.problems.is_empty());
        contents.tree
    });
    let versions: usize = names
        .iter()
        .map(|name| trees[0].history(&crate::support::path(name)).len())
        .sum();
    // Half the limit at a version's cost, and what the last layer rewrote.
    let most = (4 << 20) / (128 + 13 + 1) + names.len();
    assert!(
        (names.len()..=most).contains(&versions),
        "{versions} of {most}"
    );
    assert_eq!(trees[0], trees[1]);
}

#[test]
fn an_archive_must_mean_one_image() {
    let [shown, hidden] = ["shown", "hidden"].map(|name| tar(&[File(name, b"")]));
    let image = oci(&[(shown.clone(), shown.clone())]);
    let evil = config(std::slice::from_ref(&hidden));
    let name = format!("{}.json", sha256(&config(std::slice::from_ref(&shown))));
    let manifest = format!(r#"[{{"Config":"{name}","RepoTags":["a:1"],"Layers":["l"]}}]"#);
    // Other images, under a name of their own or that of the one in the index; and what nobody can read.
    for (json, at) in [
        (r#"[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]}]"#, "c"),
        (manifest.as_str(), name.as_str()),
        ("[", "c"),
    ] {
        let further = [
            ("l", &hidden[..]),
            (at, &evil),
            ("manifest.json", json.as_bytes()),
        ];
        let read = read_bytes(&image.archive_with(&further), &Options::default()).unwrap();
        assert_eq!(listing(&read.tree), ["shown@0="]);
        assert_eq!(
            codes(&read.problems),
            [ProblemCode::ContentMismatch],
            "{json}"
        );
        assert_eq!(read.image.references, ["test/app:1"]);
    }
}

#[test]
fn keys_that_engines_take_for_others_are_refused() {
    let layer = tar(&[File("a", b"")]);
    let image = |change: &dyn Fn(&str) -> String| {
        let mut image = oci(&[(layer.clone(), layer.clone())]);
        let manifest = change(&image.manifest.to_string());
        let digest = format!("sha256:{}", sha256(manifest.as_bytes()));
        image.index["manifests"][0]["digest"] = json!(digest);
        image
            .blobs
            .push((sha256(manifest.as_bytes()), manifest.into_bytes()));
        read_bytes(&image.archive(), &Options::default())
    };
    assert!(image(&str::to_owned).is_ok());
    // Keys that mean nothing to anybody may be anything.
    assert!(
        image(&|text| text.replacen('{', r#"{"annotations":{"Layers":"x"},"X":1,"#, 1)).is_ok()
    );
    for twin in [
        "Layers",
        "LAYERS",
        "layer\u{17f}",
        "layers",
        "mediatype",
        "schemaversion",
    ] {
        let error = image(&|text| text.replacen('{', &format!(r#"{{"{twin}":[],"#), 1));
        // Those that no struct has are not known.
        if twin == "mediatype" {
            assert!(error.is_ok());
        } else {
            assert!(matches!(error, Err(ReadError::Malformed { .. })), "{twin}");
        }
    }
    // In a descriptor, an index, a configuration, and Docker's own document.
    let error = image(&|text| text.replace("\"size\"", "\"Digest\":\"x\",\"size\"")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("which some readers take for digest"),
        "{error}"
    );
    let mut index = oci(&[(layer.clone(), layer.clone())]);
    index.index["Manifests"] = json!([]);
    assert!(matches!(
        read_bytes(&index.archive(), &Options::default()),
        Err(ReadError::Malformed { .. })
    ));
    let good = String::from_utf8(config(std::slice::from_ref(&layer))).unwrap();
    let manifest = r#"[{"Config":"c","Layers":["l"]}]"#;
    for (manifest, config) in [
        (
            manifest.to_owned(),
            good.replace("\"diff_ids\"", "\"Diff_Ids\":[],\"diff_ids\""),
        ),
        (
            manifest.to_owned(),
            good.replace("\"rootfs\"", "\"rootFS\":{},\"rootfs\""),
        ),
        (
            manifest.replace("\"Layers\"", "\"layers\":[],\"Layers\""),
            good.clone(),
        ),
    ] {
        let archive = tar(&[
            File("l", &layer),
            File("c", config.as_bytes()),
            File("manifest.json", manifest.as_bytes()),
        ]);
        let error = read_bytes(&archive, &Options::default()).unwrap_err();
        assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
    }
}
