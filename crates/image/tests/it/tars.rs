//! The tar walker against the `tar` crate, and against rubbish.

use std::collections::BTreeMap;
use std::io::Read as _;

use proptest::prelude::*;
use seareeve_image::{FileTree, LayerFiles, Limits};
use seareeve_model::{ImagePath, ProblemCode};

use crate::support::codes;

fn ours(archive: &[u8]) -> (BTreeMap<ImagePath, Vec<u8>>, Vec<ProblemCode>) {
    let layer = LayerFiles::read(archive, &Limits::default(), &|_: &ImagePath| true, "layer");
    let problems = codes(&layer.problems);
    let mut tree = FileTree::default();
    tree.apply(0, layer, &|_: &ImagePath| false);
    let files = tree
        .iter()
        .map(|(path, file)| (path.clone(), file.content.clone()));
    (files.collect(), problems)
}

fn theirs(archive: &[u8]) -> BTreeMap<ImagePath, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type() == tar::EntryType::Regular {
            let path = ImagePath::parse(&entry.path_bytes()).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path, content);
        }
    }
    files
}

fn append(
    builder: &mut tar::Builder<Vec<u8>>,
    mut header: tar::Header,
    name: &str,
    content: &[u8],
) {
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, content).unwrap();
}

proptest! {
    #[test]
    fn reads_what_the_tar_crate_reads(
        files in proptest::collection::vec(
            ("[a-z]{1,60}(/[a-z]{1,90}){0,3}", proptest::collection::vec(any::<u8>(), 0..1500), 0..3_u8),
            0..12,
        )
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content, format) in &files {
            match format {
                // A long name becomes a GNU long name entry.
                0 => append(&mut builder, tar::Header::new_gnu(), name, content),
                1 => {
                    let records = [("path", name.as_bytes()), ("comment", b"\xff\n=")];
                    builder.append_pax_extensions(records).unwrap();
                    append(&mut builder, tar::Header::new_ustar(), "short", content);
                }
                _ => {
                    let short: String = name.chars().take(200).collect();
                    // A slash at the end makes an old regular entry a directory, whose size Go (so Docker) ignores
                    // and the tar crate does not; we go with Docker, or content could hide from us in it.
                    let short = short.trim_end_matches('/');
                    let mut header = tar::Header::new_ustar();
                    if header.set_path(short).is_ok() {
                        append(&mut builder, header, short, content);
                    }
                }
            }
        }
        let archive = builder.into_inner().unwrap();
        let (files, problems) = ours(&archive);
        prop_assert_eq!(problems, []);
        prop_assert_eq!(files, theirs(&archive));
    }

    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        ours(&bytes);
    }

    /// A valid header with rubbish in single places reaches deeper than pure rubbish.
    #[test]
    fn damaged_archives_never_panic(
        damage in proptest::collection::vec((0..4096_usize, any::<u8>()), 1..8),
        repair in any::<bool>(),
    ) {
        let mut archive = sample();
        for (at, byte) in damage {
            if let Some(place) = archive.get_mut(at) {
                *place = byte;
            }
        }
        if repair {
            for block in archive.chunks_exact_mut(512) {
                if block[257..262] == *b"ustar" {
                    block[148..156].fill(b' ');
                    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
                    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
                }
            }
        }
        ours(&archive);
    }
}

fn sample() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let long = "long/".repeat(40) + "name";
    append(&mut builder, tar::Header::new_gnu(), &long, b"one");
    builder
        .append_pax_extensions([("size", &b"3"[..]), ("path", b"p")])
        .unwrap();
    append(&mut builder, tar::Header::new_ustar(), "x", b"two");
    builder.into_inner().unwrap()
}

#[test]
fn every_truncation_is_said_or_at_an_entry_border() {
    let archive = sample();
    let (all, _) = ours(&archive);
    assert_eq!(all.len(), 2);
    for length in 0..archive.len() {
        let (files, problems) = ours(&archive[..length]);
        for (path, content) in &files {
            assert_eq!(all.get(path), Some(content), "at {length}");
        }
        assert!(
            !problems.is_empty() || length % 512 == 0,
            "silent truncation at {length}"
        );
    }
}

/// A header whose size field is made by hand.
fn with_size(size: &[u8; 12], kind: u8) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..4].copy_from_slice(b"file");
    header.as_old_mut().linkflag[0] = kind;
    header.as_old_mut().size = *size;
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn lying_sizes_end_the_layer_without_memory() {
    for size in [
        // 2^63, 2^64 - 1 and more, negative, not a number, 8 GiB and a bit.
        b"\x80\0\0\0\x80\0\0\0\0\0\0\0",
        b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\0\0\0\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"12x4567\0\0\0\0\0",
        b"\x80\0\0\0\0\0\0\x02\0\0\0\0",
    ] {
        for kind in *b"0SLKx" {
            let (files, problems) = ours(&with_size(size, kind));
            assert!(files.is_empty());
            assert!(problems.contains(&ProblemCode::LayerUnreadable), "{size:?}");
        }
    }
}

#[test]
fn sparse_files_are_skipped_and_said() {
    // GNU's old form with one continued map, then pax form 1.0, then a plain file.
    let mut header = tar::Header::new_gnu();
    header.set_path("old").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(512);
    header.as_gnu_mut().unwrap().isextended[0] = 1;
    header.set_cksum();
    let mut archive = header.as_bytes().to_vec();
    archive.extend([0; 512]);
    archive.extend([b'd'; 512]);
    let mut builder = tar::Builder::new(archive);
    builder
        .append_pax_extensions([
            ("GNU.sparse.major", &b"1"[..]),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"new"),
            ("GNU.sparse.realsize", b"1000000"),
        ])
        .unwrap();
    append(
        &mut builder,
        tar::Header::new_ustar(),
        "GNUSparseFile.0/new",
        b"0\n",
    );
    append(&mut builder, tar::Header::new_ustar(), "plain", b"p");
    let (files, problems) = ours(&builder.into_inner().unwrap());
    assert_eq!(problems, [ProblemCode::FileUnreadable; 2]);
    assert_eq!(
        files.into_keys().collect::<Vec<_>>(),
        [ImagePath::parse(b"plain").unwrap()]
    );
}

#[test]
fn a_v7_directory_is_told_by_the_slash_of_its_whole_name() {
    let mut builder = tar::Builder::new(Vec::new());
    // The short form of this name in the second header ends with a slash, the long form does not.
    let file = "0123456789/1234567/".repeat(5) + "1234/" + "file";
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().linkflag[0] = 0;
    append(&mut builder, header, &file, b"content");
    let (files, problems) = ours(&builder.into_inner().unwrap());
    assert_eq!(problems, []);
    assert_eq!(files.into_values().collect::<Vec<_>>(), [b"content"]);

    let mut directory = with_size(b"00000000003\0", 0);
    directory[..6].copy_from_slice(b"direc/");
    directory.extend([0; 1024]);
    let sum: u32 = directory[..512].iter().map(|b| u32::from(*b)).sum();
    let stored: u32 = directory[148..156].iter().map(|b| u32::from(*b)).sum();
    let text = format!("{:06o}\0 ", sum - stored + 8 * 0x20);
    directory[148..156].copy_from_slice(text.as_bytes());
    let (files, problems) = ours(&directory);
    assert_eq!((files.len(), problems), (0, vec![]));
}

#[test]
fn global_headers_and_vendor_entries_are_passed_over() {
    let mut archive = with_size(b"00000000014\0", b'g');
    archive.extend(b"12 path=bad\n");
    archive.resize(1024, 0);
    archive.extend(with_size(b"00000000003\0", b'V'));
    archive.extend(b"xyz");
    archive.resize(2048, 0);
    archive.extend(with_size(b"00000000003\0", b'0'));
    archive.extend(b"abc");
    archive.resize(4096, 0);
    let (files, problems) = ours(&archive);
    assert_eq!(problems, []);
    assert_eq!(files.into_values().collect::<Vec<_>>(), [b"abc"]);
}
