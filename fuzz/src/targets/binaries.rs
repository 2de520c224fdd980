//! Programs and libraries: the inspectors of Go's and Rust's build data, fed in pieces. The first byte chooses the
//! lengths of the pieces, the rest is the file.

use seareeve_scan::Scanner;

use crate::Target;
use crate::made::{self, Entry};

pub(super) const TARGET: Target = Target {
    name: "binaries",
    run,
    longest: 8 << 10,
    seeds,
    words: &[
        "\u{7f}ELF\u{2}\u{1}\u{1}",
        "MZ",
        " Go buildinf:",
        "go1.22.3",
        "path\tx\n",
        "mod\tx\tv1.2.3\th1:\n",
        "dep\tx\tv1.2.3\n",
        "=>\ty\tv1.2.3\n",
        ".dep-v0\0",
        "{\"packages\":[",
        "\"source\":\"crates.io\"",
        "\"kind\":\"runtime\"",
        "\"root\":true",
        "Go\0\0buildid",
        "PE\0\0",
    ],
};

const PATH: &str = "usr/bin/app";

fn run(input: &[u8]) {
    let Some((pieces, content)) = input.split_first() else {
        return;
    };
    made::same_in_pieces(Scanner::Vulnerabilities, PATH, content, *pieces);
    made::inventory(&[vec![Entry::File(PATH.as_bytes(), content)]]);
}

fn seeds() -> Vec<Vec<u8>> {
    let lines = framed(
        "path\tx.org/a\nmod\tx.org/a\t(devel)\t\ndep\tx.org/b\tv0.9.1\th1:F\n=>\tx.org/c/v2\tv2.1.0\th1:a\nbuild\t-compiler=gc\n",
    );
    let crates = made::zlib(
        br#"{"packages":[{"name":"cc","version":"1.0.5","source":"crates.io","kind":"build"},{"name":"a","version":"0.1.0","source":"local","dependencies":[0,2],"root":true},{"name":"itoa","version":"1.0.18","source":"crates.io"},{"name":"f","version":"2.0.0","source":"git"}],"format":1}"#,
    );
    let mut crates_behind = elf(&[0; 16], b"");
    crates_behind.extend(&crates);
    crates_behind.extend(b"\0.shstrtab\0.dep-v0\0.comment\0");
    let mut windows = b"MZ\x90\0".to_vec();
    windows.resize(0x200, 0);
    windows.extend(blob("go1.21rc2", &lines));
    let mut pointers = b"\xff Go buildinf:\x08\0".to_vec();
    for word in [DATA + 0x40, DATA + 0x50] {
        pointers.extend((BASE + word).to_le_bytes());
    }
    pointers.resize(0x40, 0);
    for (text, length) in [(CONSTANTS + 48, 6), (CONSTANTS + 64, lines.len() as u64)] {
        pointers.extend((BASE + text).to_le_bytes());
        pointers.extend(length.to_le_bytes());
    }
    // What Go's linker writes behind the program headers, then what the pointers lead to.
    let mut constants = vec![0; 16];
    for number in [4_u32, 8, 4] {
        constants.extend(number.to_le_bytes());
    }
    constants.extend(b"Go\0\0buildid1\0\0\0\0\0\0\0\0go1.16          ");
    constants.extend(&lines);
    let programs = [
        go_program(),
        elf(&pointers, &constants),
        crates_behind,
        windows,
    ];
    let mut seeds = Vec::new();
    for (pieces, program) in [0_u8, 1, 3, 200].into_iter().zip(programs) {
        let mut seed = vec![pieces];
        seed.extend(program);
        seeds.push(seed);
    }
    seeds
}

/// Where programs see the beginning of the file, and where its parts stand in it.
const BASE: u64 = 0x40_0000;
const CONSTANTS: u64 = 0x100;
const DATA: u64 = 0x400;

/// A program built by Go 1.22 of one module.
pub(super) fn go_program() -> Vec<u8> {
    let modules = framed("path\tx\nmod\tx\tv1.2.3\th1:\ndep\ty\tv1.0.0\th1:\n");
    elf(&blob("go1.22.3", &modules), b"")
}

/// A 64-bit little-endian program with constants and data.
fn elf(data: &[u8], constants: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    for half in [2_u16, 62] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes());
    for word in [0_u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 0, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    let segments = [(4_u32, 0, DATA), (6, DATA, data.len() as u64)];
    for (flags, start, length) in segments {
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        for word in [start, BASE + start, 0, length, length, 0x1000] {
            bytes.extend(word.to_le_bytes());
        }
    }
    for (start, part) in [(CONSTANTS, constants), (DATA, data)] {
        bytes.resize(usize::try_from(start).expect("a small number"), 0);
        bytes.extend(part);
    }
    bytes
}

/// What `runtime/debug` puts around the list of modules.
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
        let mut length = text.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).expect("seven bits"));
        bytes.extend(text);
    }
    bytes
}
