//! Binaries made here in the shape that linkers give them. Real ones are too large to be kept.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::super::inspected;
use super::ECOSYSTEM;

const LINES: &str = "path\texample.com/hello/cmd\n\
    mod\texample.com/hello\t(devel)\t\n\
    dep\tgithub.com/pkg/errors\tv0.9.1\th1:FEBL\n\
    dep\tgithub.com/docker/docker\tv20.10.7+incompatible\th1:Z6O9\n\
    dep\tgithub.com/old/Name\tv1.0.0\n\
    =>\tgithub.com/new/name/v2\tv2.1.0\th1:abcd\n\
    dep\tk8s.io/api\tv0.0.0\n\
    =>\t./staging/src/k8s.io/api\t(devel)\t\n\
    build\t-compiler=gc\n";

const PACKAGES: [&str; 3] = [
    "pkg:golang/github.com/docker/docker@v20.10.7%2Bincompatible",
    "pkg:golang/github.com/new/name/v2@v2.1.0",
    "pkg:golang/github.com/pkg/errors@v0.9.1",
];

const FROM_FOLDER: &str = "Go modules (1) were built from folders and have no version: k8s.io/api";
const NO_VERSION: &str = "standard library version unknown: the binary was built by Go, but not in a way that says by which";
const NO_MODULES: &str =
    "Go modules unknown: the binary was built without them, or not in a way that names them";

fn told(content: &[u8]) -> (Vec<String>, Vec<String>) {
    inspected::told(&ECOSYSTEM, "usr/bin/hello", content, None)
}

/// How a target writes numbers.
#[derive(Clone, Copy)]
struct Target {
    is_64: bool,
    is_big_endian: bool,
}

const TARGETS: [Target; 4] = [
    Target {
        is_64: true,
        is_big_endian: false,
    },
    Target {
        is_64: true,
        is_big_endian: true,
    },
    Target {
        is_64: false,
        is_big_endian: false,
    },
    Target {
        is_64: false,
        is_big_endian: true,
    },
];
const AMD64: Target = TARGETS[0];

impl Target {
    fn number(self, number: u64, length: usize) -> Vec<u8> {
        if self.is_big_endian {
            number.to_be_bytes()[8 - length..].to_vec()
        } else {
            number.to_le_bytes()[..length].to_vec()
        }
    }

    fn word(self, number: u64) -> Vec<u8> {
        self.number(number, if self.is_64 { 8 } else { 4 })
    }

    /// The fields of ELF's header, and those of program headers, in the order of the class.
    fn elf(self, kind: u64, segments: &[Segment]) -> Vec<u8> {
        let (header, entry) = if self.is_64 { (64, 56) } else { (52, 32) };
        let mut bytes = b"\x7fELF".to_vec();
        bytes.push(if self.is_64 { 2 } else { 1 });
        bytes.push(if self.is_big_endian { 2 } else { 1 });
        bytes.extend([1; 1]);
        bytes.resize(16, 0);
        for (number, length) in [(kind, 2), (62, 2), (1, 4)] {
            bytes.extend(self.number(number, length));
        }
        for word in [0, header, 0] {
            bytes.extend(self.word(word));
        }
        bytes.extend(self.number(0, 4));
        for number in [header, entry, segments.len() as u64, 0, 0, 0] {
            bytes.extend(self.number(number, 2));
        }
        for segment in segments {
            let flags = self.number(segment.flags, 4);
            bytes.extend(self.number(segment.kind, 4));
            if self.is_64 {
                bytes.extend(&flags);
            }
            for word in [
                segment.start,
                BASE + segment.start,
                0,
                segment.length,
                segment.length,
            ] {
                bytes.extend(self.word(word));
            }
            if !self.is_64 {
                bytes.extend(&flags);
            }
            bytes.extend(self.word(0x1000));
        }
        bytes
    }
}

struct Segment {
    kind: u64,
    flags: u64,
    start: u64,
    length: u64,
}

/// Where programs see the beginning of the file.
const BASE: u64 = 0x40_0000;
/// The parts of a made binary: headers and code, constants, data, and what is not loaded.
const CODE: usize = 0x200;
const CONSTANTS: usize = 0x3000;
const DATA: usize = 0x6000;
const UNLOADED: usize = 0x9000;

#[derive(Clone, Copy)]
struct Parts<'a> {
    target: Target,
    code: &'a [u8],
    constants: &'a [u8],
    data: &'a [u8],
    unloaded: &'a [u8],
}

const EMPTY: Parts<'_> = Parts {
    target: AMD64,
    code: b"",
    constants: b"",
    data: b"",
    unloaded: b"",
};

impl Parts<'_> {
    fn bytes(self) -> Vec<u8> {
        let load = |flags, start: usize, end: usize| Segment {
            kind: 1,
            flags,
            start: start as u64,
            length: (end - start) as u64,
        };
        let other = Segment {
            kind: 4,
            flags: 4,
            start: 0x190,
            length: 0x40,
        };
        let segments = [
            other,
            load(5, 0, CONSTANTS),
            load(4, CONSTANTS, DATA),
            load(6, DATA, UNLOADED),
        ];
        let mut bytes = self.target.elf(2, &segments);
        for (start, part) in [
            (CODE, self.code),
            (CONSTANTS, self.constants),
            (DATA, self.data),
            (UNLOADED, self.unloaded),
        ] {
            assert!(
                bytes.len() <= start,
                "the parts before {start} are too long"
            );
            bytes.resize(start, 0);
            bytes.extend(part);
        }
        bytes
    }
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn framed(lines: &str) -> Vec<u8> {
    let mut bytes = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6".to_vec();
    bytes.extend(lines.as_bytes());
    bytes.extend(b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2");
    bytes
}

/// The blob of Go 1.18 and later.
fn blob(version: &str, modules: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xff Go buildinf:\x08\x02".to_vec();
    bytes.resize(32, 0);
    for text in [version.as_bytes(), modules] {
        bytes.extend(varint(text.len()));
        bytes.extend(text);
    }
    bytes
}

/// The blob of before, at the beginning of the data, and the string headers that it points to.
fn pointers(target: Target, version: (usize, usize), modules: (usize, usize)) -> Vec<u8> {
    let mut bytes = b"\xff Go buildinf:".to_vec();
    bytes.push(if target.is_64 { 8 } else { 4 });
    bytes.push(target.is_big_endian.into());
    for header in [DATA + 0x100, DATA + 0x140] {
        bytes.extend(target.word(BASE + header as u64));
    }
    for (at, (text, length)) in [(0x100, version), (0x140, modules)] {
        bytes.resize(at, 0);
        bytes.extend(target.word(BASE + text as u64));
        bytes.extend(target.word(length as u64));
    }
    bytes
}

/// What Go's linker writes behind the program headers.
fn note(target: Target) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    for number in [4, 8, 4] {
        bytes.extend(target.number(number, 4));
    }
    bytes.extend(b"Go\0\0buildid1");
    bytes
}

fn with_stdlib(version: &str) -> Vec<String> {
    let mut packages = PACKAGES.map(str::to_owned).to_vec();
    packages.push(format!("pkg:golang/stdlib@{version}"));
    packages
}

#[test]
fn blobs_of_go_are_read_for_all_targets() {
    let data = blob("go1.22.3", &framed(LINES));
    for target in TARGETS {
        let binary = Parts {
            target,
            data: &data,
            ..EMPTY
        }
        .bytes();
        assert_eq!(
            told(&binary),
            (with_stdlib("1.22.3"), vec![FROM_FOLDER.to_owned()])
        );
    }
}

#[test]
fn other_formats_are_searched_whole() {
    for magic in [
        b"MZ\x90\0".as_slice(),
        b"\xcf\xfa\xed\xfe",
        b"\xfe\xed\xfa\xce",
    ] {
        let mut binary = magic.to_vec();
        binary.resize(0x2_0000, 0);
        binary.extend(blob("go1.21rc2", &framed(LINES)));
        assert_eq!(told(&binary).0, with_stdlib("1.21.0-rc.2"));
    }
}

#[test]
fn only_the_linkers_own_blob_counts() {
    let data = blob("go1.22.3", &framed("path\tx\nmod\tx\tv1.2.3\th1:\n"));
    let own = ["pkg:golang/stdlib@1.22.3", "pkg:golang/x@v1.2.3"]
        .map(str::to_owned)
        .to_vec();
    let decoy = blob("go1.2.3", &framed(LINES));
    // Another binary among the constants, the magic out of line, and the magic as a word of a program that
    // looks for it.
    let mut shifted = vec![0; 8];
    shifted.extend(&decoy);
    let word = b"\xff Go buildinf:and so on, whatever follows";
    for constants in [decoy.as_slice(), &shifted, word] {
        let binary = Parts {
            constants,
            data: &data,
            ..EMPTY
        }
        .bytes();
        assert_eq!(told(&binary), (own.clone(), vec![]));
    }
    let mut twice = word.to_vec();
    twice.resize(0x100, 0);
    twice.extend(&data);
    assert_eq!(
        told(
            &Parts {
                data: &twice,
                ..EMPTY
            }
            .bytes()
        ),
        (own, vec![])
    );
    assert_eq!(
        told(
            &Parts {
                data: &shifted,
                code: word,
                ..EMPTY
            }
            .bytes()
        ),
        (vec![], vec![])
    );
    // A binary that was packed into another is in there all the same.
    let packed = Parts {
        constants: &decoy,
        ..EMPTY
    }
    .bytes();
    assert_eq!(told(&packed).0, with_stdlib("1.2.3"));
}

#[test]
fn older_blobs_point_to_what_passed_before() {
    for target in TARGETS {
        let mut constants = b"go1.4go1.17.1go1.16.5 of which one is meant ".to_vec();
        let version = (CONSTANTS + 13, 8);
        let modules = (CONSTANTS + constants.len(), 32 + LINES.len());
        constants.extend(framed(LINES));
        let data = pointers(target, version, modules);
        let code = note(target);
        let binary = Parts {
            target,
            code: &code,
            constants: &constants,
            data: &data,
            ..EMPTY
        };
        assert_eq!(
            told(&binary.bytes()),
            (with_stdlib("1.16.5"), vec![FROM_FOLDER.to_owned()])
        );
        // A loader fills in the pointers.
        let data = pointers(target, (0, 0), (0, 0));
        let mut bytes = Parts {
            data: &data,
            ..binary
        }
        .bytes();
        bytes[DATA + 16..DATA + 32].fill(0);
        let (packages, problems) = told(&bytes);
        assert_eq!(packages, PACKAGES);
        assert_eq!(problems, [NO_VERSION, FROM_FOLDER]);
    }
}

#[test]
fn what_a_binary_of_go_does_not_say_is_a_problem() {
    let code = note(AMD64);
    let both = (vec![], vec![NO_MODULES.to_owned(), NO_VERSION.to_owned()]);
    let (packages, mut problems) = told(
        &Parts {
            code: &code,
            ..EMPTY
        }
        .bytes(),
    );
    problems.sort();
    assert_eq!((packages, problems), both);
    let development = blob("devel +b7a85e0003 Tue Aug 2", b"");
    let (packages, problems) = told(
        &Parts {
            data: &development,
            ..EMPTY
        }
        .bytes(),
    );
    assert_eq!(packages, [""; 0]);
    assert_eq!(
        problems,
        [
            "standard library version unknown: the toolchain calls itself \"devel +b7a85e0003 Tue Aug 2\"",
            NO_MODULES
        ]
    );
    // Cut off in the middle of the blob: who reads the image says so.
    let mut cut = Parts {
        code: &code,
        data: &development,
        ..EMPTY
    }
    .bytes();
    cut.truncate(DATA + 40);
    assert_eq!(inspected::extract(&ECOSYSTEM, "x", &cut, 512, false), None);
}

fn audit(json: &str, level: Compression) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(json.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const CRATES: &str = r#"{"packages":[{"name":"cc","version":"1.0.5","source":"crates.io","kind":"build"},{"name":"hello","version":"0.1.0","source":"local","dependencies":[0,2],"root":true},{"name":"itoa","version":"1.0.18","source":"crates.io"},{"name":"serde_json","version":"1.0.154","source":"crates.io","kind":"runtime","new":[{}]},{"name":"fork","version":"2.0.0","source":"git"}],"format":1}"#;

#[test]
fn lists_of_crates_are_found_among_what_is_not_loaded() {
    let expected = (
        ["pkg:cargo/itoa@1.0.18", "pkg:cargo/serde_json@1.0.154"].map(str::to_owned).to_vec(),
        vec!["fork 2.0.0 is from git, not from crates.io, so advisories may or may not apply: it was left out".to_owned()],
    );
    let other = audit(
        "something else in a compressed section",
        Compression::best(),
    );
    for level in [0, 1, 6, 9] {
        let list = audit(CRATES, Compression::new(level));
        for target in TARGETS {
            // Stripped, and behind symbols and compressed sections of any length.
            for before in [0, 5, 70_001] {
                let mut unloaded: Vec<u8> = other.iter().copied().cycle().take(before).collect();
                unloaded.extend(&list);
                unloaded.extend(b"\0.shstrtab\0.dep-v0\0.comment\0");
                let binary = Parts {
                    target,
                    unloaded: &unloaded,
                    ..EMPTY
                }
                .bytes();
                assert_eq!(
                    told(&binary),
                    expected,
                    "level {level}, {before} bytes before"
                );
            }
        }
    }
    // Behind the end of the file as well.
    let list = audit(CRATES, Compression::best());
    assert_eq!(
        told(
            &Parts {
                unloaded: &list,
                ..EMPTY
            }
            .bytes()
        ),
        expected
    );
}

#[test]
fn unreadable_lists_of_crates_are_problems() {
    const UNREADABLE: &str =
        "failed to read the list of crates that cargo auditable put into this binary";
    let list = audit(CRATES, Compression::best());
    let names = b"\0.dep-v0\0".as_slice();
    let bomb = audit(
        &format!("{{\"packages\":[{}", " ".repeat(9 << 20)),
        Compression::best(),
    );
    let mut damaged = list.clone();
    let middle = damaged.len() / 2;
    damaged[middle..].fill(0xff);
    for unloaded in [names, &list[..list.len() - 20], &bomb, &damaged] {
        let (packages, problems) = told(&Parts { unloaded, ..EMPTY }.bytes());
        assert_eq!((packages, problems), (vec![], vec![UNREADABLE.to_owned()]));
    }
    let strange = audit(r#"{"packages":[{"name":1}]}"#, Compression::best());
    let (packages, problems) = told(
        &Parts {
            unloaded: &strange,
            ..EMPTY
        }
        .bytes(),
    );
    assert_eq!(packages, [""; 0]);
    assert!(problems[0].starts_with("failed to read the list of crates in this binary: "));
    // In what is loaded, such bytes are a program's own.
    assert_eq!(
        told(
            &Parts {
                data: &list,
                ..EMPTY
            }
            .bytes()
        ),
        (vec![], vec![])
    );
}

#[test]
fn other_files_are_let_pass() {
    let object = AMD64.elf(1, &[]);
    let padded = |mut bytes: Vec<u8>| {
        bytes.resize(0x4000, 0);
        bytes.extend(blob("go1.22.3", b""));
        bytes
    };
    for other in [
        padded(object),
        padded(b"#!/bin/sh\n".to_vec()),
        padded(b"\x7fELF\x03\x01\x01".to_vec()),
        padded(b"\xca\xfe\xba\xbe\0\0\0\x3d".to_vec()),
        b"\x7fELF".to_vec(),
        vec![],
    ] {
        assert_eq!(told(&other), (vec![], vec![]));
    }
}

#[test]
fn machine_code_is_not_looked_at() {
    let data = blob("go1.22.3", &framed(LINES));
    let binary = Parts {
        data: &data,
        ..EMPTY
    }
    .bytes();
    let (extract, looked_at) =
        inspected::extract_in_place(&ECOSYSTEM, "usr/bin/hello", &binary, 512);
    assert!(extract.is_some());
    let code = CONSTANTS - super::HEAD;
    assert!(looked_at <= DATA + data.len() + 512 - code, "{looked_at}");
    // Nothing at all is looked at of what begins as no binary does.
    let text = vec![b'#'; 0x4000];
    let (extract, looked_at) = inspected::extract_in_place(&ECOSYSTEM, "etc/x", &text, 512);
    assert_eq!((extract, looked_at), (None, 0));
}

#[test]
fn no_damage_is_a_panic() {
    let constants = framed(LINES);
    let data = pointers(AMD64, (CONSTANTS, 8), (CONSTANTS, 32 + LINES.len()));
    let unloaded = audit(CRATES, Compression::best());
    let code = note(AMD64);
    let older = Parts {
        code: &code,
        constants: &constants,
        data: &data,
        unloaded: &unloaded,
        ..EMPTY
    };
    let inline = blob("go1.22.3", &framed(LINES));
    for binary in [
        older.bytes(),
        Parts {
            data: &inline,
            ..EMPTY
        }
        .bytes(),
    ] {
        let places = (0..0x200)
            .chain(DATA..DATA + 0x180)
            .chain(UNLOADED..binary.len());
        for place in places {
            for value in [0x00, 0xff] {
                let mut bytes = binary.clone();
                bytes[place] = value;
                let _ = inspected::extract(&ECOSYSTEM, "x", &bytes, 65_536, true);
            }
        }
    }
}
