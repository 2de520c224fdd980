//! rpm's databases in all formats, the headers in them, and SQLite's log beside one.

use seareeve_model::Inventory;

use crate::Target;
use crate::made::{self, Entry};

pub(super) const DATABASE: Target = Target {
    name: "rpm_database",
    run: |database| {
        inventory(&[("var/lib/rpm/Packages", database)]);
    },
    longest: 8 << 10,
    seeds: databases,
    words: &[
        "SQLite format 3\0",
        "table\u{8}Packages",
        "RpmP",
        "Slot",
        "BlbS",
        "BlbE",
        "a\u{15}\u{6}\0",
    ],
};

pub(super) const HEADER: Target = Target {
    name: "rpm_header",
    run: |header| {
        inventory(&[("var/lib/rpm/Packages.db", &ndb(&[header]))]);
    },
    longest: 4 << 10,
    seeds: headers,
    words: &[
        "\0\0\u{3}\u{e8}\0\0\0\u{6}",
        "\0\0\u{3}\u{eb}\0\0\0\u{4}",
        "\0\0\u{4}\u{5c}\0\0\0\u{4}",
        "\0\0\u{4}\u{5d}\0\0\0\u{8}",
        "\0\0\u{4}\u{5e}\0\0\0\u{8}",
        "a-1-1.src.rpm\0",
        "nodejs:18:1:a\0",
        "gpg-pubkey\0",
        "(none)\0",
        "/usr/lib/",
    ],
};

pub(super) const LOG: Target = Target {
    name: "rpm_log",
    run: log,
    longest: 8 << 10,
    seeds: logs,
    words: &["7\u{7f}\u{6}", "SQLite format 3\0"],
};

fn inventory(files: &[(&str, &[u8])]) -> Inventory {
    let os = b"ID=rocky\nVERSION_ID=9.4\n";
    let mut entries = vec![Entry::File(b"etc/os-release", os)];
    let files = files.iter();
    entries.extend(files.map(|(path, content)| Entry::File(path.as_bytes(), content)));
    made::inventory(&[entries])
}

/// With an even first byte the log's checksums are put right first, which nobody can guess.
fn log(input: &[u8]) {
    let Some((choice, log)) = input.split_first() else {
        return;
    };
    let log = match choice % 2 {
        0 => summed(log),
        _ => log.to_vec(),
    };
    let database = sqlite(&[header("a", "1")]);
    inventory(&[
        ("var/lib/rpm/rpmdb.sqlite", &database),
        ("var/lib/rpm/rpmdb.sqlite-wal", &log),
    ]);
}

fn headers() -> Vec<Vec<u8>> {
    vec![header("bash", "5.1"), header("gpg-pubkey", "1"), {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        tag(&mut index, &mut data, 1000, 9, 1, b"a\0");
        let mut bytes = 1_u32.to_be_bytes().to_vec();
        bytes.extend(2_u32.to_be_bytes());
        bytes.extend(index);
        bytes.extend(data);
        bytes
    }]
}

fn databases() -> Vec<Vec<u8>> {
    let headers = [header("bash", "5.1"), header("nodejs", "18.19")];
    let parts: Vec<&[u8]> = headers.iter().map(Vec::as_slice).collect();
    vec![
        sqlite(&headers),
        sqlite(&headers[..1]),
        ndb(&parts),
        berkeley(&headers, u32::to_le_bytes, u16::to_le_bytes),
        berkeley(&headers, u32::to_be_bytes, u16::to_be_bytes),
    ]
}

/// A log that replaces the pages of a database by those of another.
fn logs() -> Vec<Vec<u8>> {
    let newer = sqlite(&[header("a", "2"), header("b", "1")]);
    [0x377f_0682_u32, 0x377f_0683]
        .map(|magic| {
            let mut log = vec![0];
            for number in [magic, 3_007_000, 512, 1, 0x0102_0304, 0x0506_0708, 0, 0] {
                log.extend(number.to_be_bytes());
            }
            let pages = newer.chunks_exact(512);
            let count = u32::try_from(pages.len()).expect("a few pages");
            for (number, page) in (1_u32..).zip(pages) {
                let commits = if number == count { count } else { 0 };
                for number in [number, commits, 0x0102_0304, 0x0506_0708, 0, 0] {
                    log.extend(number.to_be_bytes());
                }
                log.extend(page);
            }
            log
        })
        .into()
}

/// The log with sound checksums and salts, as far as its frames are whole.
fn summed(log: &[u8]) -> Vec<u8> {
    let mut log = log.to_vec();
    let big = |log: &[u8], at: usize| {
        let bytes = log.get(at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let (Some(magic), Some(size)) = (big(&log, 0), big(&log, 8)) else {
        return log;
    };
    let is_big = magic & 1 == 1;
    let sum = |sums: (u32, u32), bytes: &[u8]| {
        let (pairs, _) = bytes.as_chunks::<8>();
        pairs.iter().fold(sums, |(first, second), pair| {
            let [a, b, c, d, e, f, g, h] = *pair;
            let number = |bytes| match is_big {
                true => u32::from_be_bytes(bytes),
                false => u32::from_le_bytes(bytes),
            };
            let first = first
                .wrapping_add(number([a, b, c, d]))
                .wrapping_add(second);
            let second = second
                .wrapping_add(number([e, f, g, h]))
                .wrapping_add(first);
            (first, second)
        })
    };
    let put = |log: &mut Vec<u8>, at: usize, sums: (u32, u32)| {
        for (to, from) in log
            .iter_mut()
            .skip(at)
            .zip(sums.0.to_be_bytes().into_iter().chain(sums.1.to_be_bytes()))
        {
            *to = from;
        }
    };
    let size = usize::try_from(size).unwrap_or_default().clamp(512, 65_536);
    let salts = log.get(16..24).unwrap_or_default().to_vec();
    let mut sums = sum((0, 0), log.get(..24).unwrap_or_default());
    put(&mut log, 24, sums);
    let mut at = 32;
    while let Some(frame) = log.get_mut(at..at + 24 + size) {
        for (to, from) in frame.iter_mut().skip(8).zip(&salts) {
            *to = *from;
        }
        sums = sum(sums, frame.get(..8).unwrap_or_default());
        sums = sum(sums, frame.get(24..).unwrap_or_default());
        put(&mut log, at + 16, sums);
        at += 24 + size;
    }
    log
}

/// The header of a package with everything that is looked at.
fn header(name: &str, version: &str) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    let text = |text: &str| format!("{text}\0").into_bytes();
    tag(&mut index, &mut data, 1000, 6, 1, &text(name));
    tag(&mut index, &mut data, 1001, 6, 1, &text(version));
    tag(&mut index, &mut data, 1002, 6, 1, &text("1.el9"));
    tag(&mut index, &mut data, 1003, 4, 1, &[0, 0, 0, 1]);
    tag(&mut index, &mut data, 1011, 6, 1, &text("Rocky"));
    tag(&mut index, &mut data, 1022, 6, 1, &text("x86_64"));
    let source = format!("{name}-{version}-1.el9.src.rpm");
    tag(&mut index, &mut data, 1044, 6, 1, &text(&source));
    tag(&mut index, &mut data, 1116, 4, 2, &[0, 0, 0, 0, 0, 0, 0, 1]);
    tag(&mut index, &mut data, 1117, 8, 2, b"METADATA\0app\0");
    let folders = b"/usr/lib/python3.9/site-packages/a-1.dist-info/\0/usr/bin/\0";
    tag(&mut index, &mut data, 1118, 8, 2, folders);
    tag(&mut index, &mut data, 5096, 6, 1, &text("nodejs:18:1:a"));
    let entries = u32::try_from(index.len() / 16).expect("a few tags");
    let length = u32::try_from(data.len()).expect("a few bytes");
    let mut bytes = entries.to_be_bytes().to_vec();
    bytes.extend(length.to_be_bytes());
    bytes.extend(index);
    bytes.extend(data);
    bytes
}

fn tag(index: &mut Vec<u8>, data: &mut Vec<u8>, tag: u32, kind: u32, count: u32, value: &[u8]) {
    while kind == 4 && !data.len().is_multiple_of(4) {
        data.push(0);
    }
    let offset = u32::try_from(data.len()).expect("a few bytes");
    for number in [tag, kind, offset, count] {
        index.extend(number.to_be_bytes());
    }
    data.extend(value);
}

/// rpm's own format, with one page of slots.
fn ndb(headers: &[&[u8]]) -> Vec<u8> {
    let mut slots = b"RpmP".to_vec();
    for number in [0_u32, 1, 1, 9, 0, 0, 0] {
        slots.extend(number.to_le_bytes());
    }
    let mut blobs = Vec::new();
    for (package, header) in (1_u32..).zip(headers) {
        let start = u32::try_from((4096 + blobs.len()) / 16).expect("a few blocks");
        let length = u32::try_from(header.len()).expect("a few bytes");
        let blocks = (header.len() + 28).div_ceil(16);
        slots.extend(b"Slot");
        for number in [package, start, u32::try_from(blocks).expect("a few blocks")] {
            slots.extend(number.to_le_bytes());
        }
        let end = blobs.len() + blocks * 16;
        blobs.extend(b"BlbS");
        for number in [package, 1, length] {
            blobs.extend(number.to_le_bytes());
        }
        blobs.extend(*header);
        blobs.resize(end - 8, 0);
        blobs.extend(length.to_le_bytes());
        blobs.extend(b"BlbE");
    }
    while slots.len() < 4096 {
        slots.extend(b"Slot\0\0\0\0\0\0\0\0\0\0\0\0");
    }
    slots.extend(blobs);
    slots
}

/// A hash table of Berkeley DB: two pages of head and items, then the headers on pages of their own.
fn berkeley(headers: &[Vec<u8>], word: fn(u32) -> [u8; 4], half: fn(u16) -> [u8; 2]) -> Vec<u8> {
    const PAGE: usize = 512;
    let mut overflow: Vec<Vec<u8>> = Vec::new();
    let mut items: Vec<Vec<u8>> = Vec::new();
    for (package, header) in (1_u32..).zip(headers) {
        let first = u32::try_from(overflow.len() + 2).expect("a few pages");
        items.push([&[1], word(package).as_slice()].concat());
        let length = u32::try_from(header.len()).expect("a few bytes");
        items.push([&[3, 0, 0, 0], word(first).as_slice(), &word(length)].concat());
        let parts = header.chunks(PAGE - 26);
        let last = parts.len() - 1;
        for (number, part) in parts.enumerate() {
            let own = u32::try_from(overflow.len() + 2).expect("a few pages");
            let next = if number == last { 0 } else { own + 1 };
            let used = u16::try_from(part.len()).expect("less than a page");
            let mut page = vec![0; 8];
            page.extend(word(own));
            page.extend(word(0));
            page.extend(word(next));
            page.extend(half(1));
            page.extend(half(used));
            page.extend([0, 7]);
            page.extend(part);
            page.resize(PAGE, 0);
            overflow.push(page);
        }
    }
    let mut meta = vec![0; 12];
    meta.extend(word(0x0006_1561));
    meta.extend(word(9));
    meta.extend(word(512));
    meta.extend([0, 8, 0, 0]);
    meta.extend(word(0));
    meta.extend(word(
        u32::try_from(overflow.len() + 1).expect("a few pages"),
    ));
    meta.resize(PAGE, 0);
    let mut page = vec![0; 20];
    page.extend(half(u16::try_from(items.len()).expect("a few items")));
    page.extend([0, 0, 0, 13]);
    let mut end = PAGE;
    let mut values = Vec::new();
    for item in &items {
        end -= item.len();
        page.extend(half(u16::try_from(end).expect("less than a page")));
        values.splice(0..0, item.iter().copied());
    }
    page.resize(end, 0);
    page.extend(values);
    [meta, page, overflow.concat()].concat()
}

/// A database of SQLite with pages of 512 bytes: the schema, an inner page, a leaf for each header, and what does not
/// fit there on overflow pages ("Database File Format").
fn sqlite(headers: &[Vec<u8>]) -> Vec<u8> {
    const PAGE: usize = 512;
    let small = |number: usize| u8::try_from(number).expect("a small number");
    let word = |number: usize| u32::try_from(number).expect("a few pages").to_be_bytes();
    let mut leaves = Vec::new();
    let mut overflow: Vec<Vec<u8>> = Vec::new();
    for header in headers {
        // The types of the row: the key, which stands before it, and a blob.
        let types = varint(12 + 2 * header.len());
        let mut row = vec![small(types.len() + 2), 0];
        row.extend(types);
        row.extend(header);
        let mut cell = varint(row.len());
        cell.push(small(leaves.len() + 1));
        let (most, least) = (PAGE - 35, (PAGE - 12) * 32 / 255 - 23);
        let even = least + row.len().saturating_sub(least) % (PAGE - 4);
        let here = match row.len() <= most {
            true => row.len(),
            false if even <= most => even,
            false => least,
        };
        let (here, rest) = row.split_at(here);
        cell.extend(here);
        let mut parts = rest.chunks(PAGE - 4).peekable();
        let next = |overflow: &[Vec<u8>]| headers.len() + overflow.len() + 3;
        if parts.peek().is_some() {
            cell.extend(word(next(&overflow)));
        }
        while let Some(part) = parts.next() {
            let behind = if parts.peek().is_some() {
                next(&overflow) + 1
            } else {
                0
            };
            let mut page = word(behind).to_vec();
            page.extend(part);
            page.resize(PAGE, 0);
            overflow.push(page);
        }
        leaves.push(page(Vec::new(), None, &[cell]));
    }
    let mut schema = vec![6, 23, 29, 29, 1, 13];
    schema.extend(b"tablePackagesPackages\x02");
    let mut cell = vec![small(schema.len()), 1];
    cell.extend(schema);
    let mut first = b"SQLite format 3\0\x02\0\x01\x01\0\x40\x20\x20".to_vec();
    first.resize(100, 0);
    let children: Vec<Vec<u8>> = (1..headers.len())
        .map(|key| [word(key + 2).as_slice(), &[small(key)]].concat())
        .collect();
    let mut file = page(first, None, &[cell]);
    file.extend(page(Vec::new(), Some(word(headers.len() + 2)), &children));
    file.extend(leaves.concat());
    file.extend(overflow.concat());
    file
}

/// A page of a table, its cells from the end on. Inner pages have a last child.
fn page(mut page: Vec<u8>, last: Option<[u8; 4]>, cells: &[Vec<u8>]) -> Vec<u8> {
    let half = |number: usize| {
        u16::try_from(number)
            .expect("less than a page")
            .to_be_bytes()
    };
    page.extend([if last.is_some() { 5 } else { 13 }, 0, 0]);
    page.extend(half(cells.len()));
    page.extend([0, 0, 0]);
    page.extend(last.into_iter().flatten());
    let mut end = 512;
    let mut values = Vec::new();
    for cell in cells {
        end -= cell.len();
        page.extend(half(end));
        values.splice(0..0, cell.iter().copied());
    }
    page.resize(end, 0);
    page.extend(values);
    page
}

fn varint(number: usize) -> Vec<u8> {
    let low = u8::try_from(number & 0x7f).expect("seven bits");
    match number >> 7 {
        0 => vec![low],
        high => {
            let mut bytes = varint(high);
            if let Some(last) = bytes.last_mut() {
                *last |= 0x80;
            }
            bytes.push(low);
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_sound() {
        for database in databases() {
            let inventory = inventory(&[("var/lib/rpm/Packages", &database)]);
            assert_eq!(inventory.problems, []);
            assert!(!inventory.packages.is_empty());
        }
        for seed in headers().iter().take(1) {
            let database = ndb(&[seed]);
            let inventory = inventory(&[("var/lib/rpm/Packages.db", &database)]);
            assert_eq!((inventory.problems.len(), inventory.packages.len()), (0, 1));
        }
        for seed in logs() {
            let log = summed(&seed[1..]);
            let database = sqlite(&[header("a", "1")]);
            let files: [(&str, &[u8]); 2] = [
                ("var/lib/rpm/rpmdb.sqlite", &database),
                ("var/lib/rpm/rpmdb.sqlite-wal", &log),
            ];
            let inventory = inventory(&files);
            assert_eq!((inventory.problems.len(), inventory.packages.len()), (0, 2));
        }
    }
}
