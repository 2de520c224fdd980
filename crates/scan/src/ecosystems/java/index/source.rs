//! What an index is built from: the database that Trivy downloads for the same purpose, or a list.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Write as _};

use camino::Utf8Path;
use seareeve_model::{Problem, ProblemCode};

use super::super::Coordinates;
use super::writer::Writer;
use crate::sqlite::{self, Column, Columns, Database, Table};

/// Bytes of a database that is packed: Trivy's has some gigabytes.
const LARGEST: u64 = 64 << 30;
/// Bytes of a line, well above what one with the longest names has.
const LONGEST_LINE: u64 = 4096;
/// Problems that are told one by one.
const MOST_PROBLEMS: usize = 20;

/// Gives `writer` what stands in the file at `path`, packed by gzip or zstd or not.
pub(super) fn read(
    path: &Utf8Path,
    folder: &Utf8Path,
    writer: &mut Writer,
    problems: &mut Problems,
) -> io::Result<()> {
    let file = File::open(path)?;
    let mut packed = BufReader::with_capacity(1 << 17, file);
    let unpacked: Box<dyn Read> = match packed.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
        start if start.starts_with(sqlite::MAGIC) => {
            return trivy(packed.into_inner(), writer, problems);
        }
        _ => Box::new(packed),
    };
    let mut unpacked = BufReader::with_capacity(1 << 17, unpacked);
    if !unpacked.fill_buf()?.starts_with(sqlite::MAGIC) {
        return list(unpacked, writer, problems);
    }
    // Its pages are read in the order of its trees.
    let mut file = tempfile::tempfile_in(folder)?;
    if io::copy(&mut unpacked.take(LARGEST), &mut file)? == LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    file.flush()?;
    file.seek(SeekFrom::Start(0))?;
    trivy(file, writer, problems)
}

/// Trivy's Java database, versions 1 and 2: `artifacts(id, group_id, artifact_id)` and
/// `indices(artifact_id, version, sha1, …)`.
fn trivy(file: File, writer: &mut Writer, problems: &mut Problems) -> io::Result<()> {
    let Some(mut database) = Database::new(file) else {
        problems.add("first page", "the database's first page is damaged");
        return Ok(());
    };
    let tables = database.tables(&mut |why| {
        problems.add("schema", why);
        Ok::<(), io::Error>(())
    })?;
    let table = |wanted: &[u8]| {
        let mut tables = tables.iter();
        tables.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let (Some((_, artifacts)), Some((_, indices))) = (table(b"artifacts"), table(b"indices"))
    else {
        problems.add("schema", "it is not a database of Java archives");
        return Ok(());
    };
    let (Some([group, artifact]), Some([of, version, sha1])) = (
        columns(artifacts, ["group_id", "artifact_id"]),
        columns(indices, ["artifact_id", "version", "sha1"]),
    ) else {
        problems.add(
            "schema",
            "its tables are not as in the versions that are read",
        );
        return Ok(());
    };
    // What is said of each, and where the writer has its name.
    let mut names: HashMap<u64, u32> = HashMap::new();
    database.rows(artifacts.root, &mut |row| {
        let row = match row {
            Ok(row) => row,
            Err(why) => {
                problems.add("artifacts", why);
                return Ok(());
            }
        };
        let known = text(row.values, group).zip(text(row.values, artifact));
        // The version is another row's; any will do to check the rest.
        match known.and_then(|(group, artifact)| Coordinates::checked(group, artifact, "1")) {
            Some(known) => {
                names.insert(row.key, writer.name(&known.group, &known.artifact)?);
            }
            None => problems.add("artifacts", format!("row {} has no sound name", row.key)),
        }
        Ok::<(), io::Error>(())
    })?;
    database.rows(indices.root, &mut |row| {
        let row = match row {
            Ok(row) => row,
            Err(why) => {
                problems.add("indices", why);
                return Ok(());
            }
        };
        let archive = || {
            let artifact = column(row.values, of)?.integer()? as u64;
            let version = text(row.values, version)?;
            Coordinates::checked("g", "a", version)?;
            let sha1: &[u8; 20] = column(row.values, sha1)?.blob()?.try_into().ok()?;
            Some((sha1, *names.get(&artifact)?, version))
        };
        match archive() {
            Some((sha1, name, version)) => writer.add(sha1, name, version)?,
            None => problems.add("indices", format!("row {} names no archive", row.key)),
        }
        Ok(())
    })
}

/// Where the columns `wanted` stand in the rows of a table, by how it was made.
fn columns<const N: usize>(table: &Table, wanted: [&str; N]) -> Option<[usize; N]> {
    let (_, list) = table.sql.split_once('(')?;
    let first_word = |column: &str| {
        let word = column.split_whitespace().next().unwrap_or_default();
        word.trim_matches(['"', '`', '[', ']']).to_ascii_lowercase()
    };
    let names: Vec<String> = list.split(',').map(first_word).collect();
    let places = wanted.map(|wanted| names.iter().position(|name| name == wanted));
    places
        .iter()
        .all(Option::is_some)
        .then(|| places.map(Option::unwrap_or_default))
}

fn column(values: &[u8], place: usize) -> Option<Column<'_>> {
    Columns::new(values)?.nth(place)
}

fn text(values: &[u8], place: usize) -> Option<&str> {
    std::str::from_utf8(column(values, place)?.text()?).ok()
}

/// A list, an archive on each line: `SHA-1,group,artifact,version`, with tabs in place of commas, or
/// `SHA-1 group:artifact:version`.
fn list(mut lines: impl BufRead, writer: &mut Writer, problems: &mut Problems) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut lines)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if read as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
            lines.skip_until(b'\n')?;
            line.clear();
            line.push(b'?');
        }
        let text = std::str::from_utf8(&line).unwrap_or("?").trim();
        let is_title = number == 1
            && text.get(..4).is_some_and(|start| {
                start.trim_matches('"').eq_ignore_ascii_case("sha1")
                    || start.eq_ignore_ascii_case("\"sha")
            });
        if text.is_empty() || text.starts_with('#') || is_title {
            continue;
        }
        match parse(text) {
            Some((sha1, known)) => writer.add_named(&sha1, &known)?,
            None => problems.add(
                format!("line {number}"),
                "it is not a SHA-1 with group, artifact and version",
            ),
        }
    }
    Ok(())
}

fn parse(line: &str) -> Option<([u8; 20], Coordinates)> {
    let quoted = |field: &'_ str| -> String { field.trim().trim_matches('"').to_owned() };
    let fields: Vec<String> = match line.split_once(char::is_whitespace) {
        _ if line.contains(',') => line.split(',').map(quoted).collect(),
        _ if line.contains('\t') => line.split('\t').map(quoted).collect(),
        Some((sha1, name)) => std::iter::once(sha1)
            .chain(name.splitn(3, ':'))
            .map(quoted)
            .collect(),
        None => return None,
    };
    // What stands behind the four is somebody's own.
    let [sha1, group, artifact, version, ..] = fields.as_slice() else {
        return None;
    };
    Some((hex(sha1)?, Coordinates::checked(group, artifact, version)?))
}

fn hex(text: &str) -> Option<[u8; 20]> {
    if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut sha1 = [0; 20];
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    for (byte, pair) in sha1.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(sha1)
}

/// What could not be used: some of it, and how much more there is.
#[derive(Default)]
pub(super) struct Problems {
    told: Vec<Problem>,
    untold: u64,
}

impl Problems {
    fn add(&mut self, place: impl Into<String>, why: impl Into<String>) {
        if self.told.len() < MOST_PROBLEMS {
            let code = ProblemCode::AdvisoryUnreadable;
            self.told.push(Problem::new(code, place, why));
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }

    pub(super) fn into_list(mut self) -> Vec<Problem> {
        if self.untold > 0 {
            let message = format!("{} more could not be used", self.untold);
            let code = ProblemCode::AdvisoryUnreadable;
            self.told.push(Problem::new(code, "the rest", message));
        }
        self.told
    }
}
