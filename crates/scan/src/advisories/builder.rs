//! Building a database: records in, in any order and from anywhere; the same bytes out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Seek, Write};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_model::{DatabaseInfo, DatabaseKind, Problem, ProblemCode};

use super::compile::compile;
use super::database::{Database, DatabaseError};
use super::held::{Held, Refused};
use super::inputs;
use super::osv::OsvRecord;
use super::signals::{self, Catalogue, FeedError, Scores, Signals};
use super::spool::Spool;

/// A broken archive can hold a problem in every record; the report stays readable.
const MAX_PROBLEMS: usize = 1_000;
/// Progress is told after so many records.
const PROGRESS_STEP: u64 = 500;

/// Why no database could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An input does not exist or is not readable. The user's fault.
    #[error("failed to read {path}")]
    Input {
        /// The input.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The inputs hold not one usable record: the path is wrong, or the archives are broken.
    #[error("found no OSV record in {inputs}")]
    Empty {
        /// The inputs, for people.
        inputs: String,
    },
    /// The database could not be put into its place.
    #[error("failed to write {path}")]
    Output {
        /// The target.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The temporary file that holds the records meanwhile failed: the disk is full.
    #[error("failed to keep records while building")]
    Spool(#[from] io::Error),
    /// More records than the format can number. Nobody's fault yet.
    #[error("the advisories are too many for one database")]
    TooLarge,
    /// What was written cannot be read again. A bug of ours, or a broken disk.
    #[error("failed to check the new database")]
    Check(#[from] DatabaseError),
}

/// What came of a build.
#[derive(Clone, Debug)]
pub struct BuildReport {
    /// The new database.
    pub info: DatabaseInfo,
    /// Records that were read but are withdrawn: they match nothing.
    pub withdrawn: u64,
    /// Records and parts of records that could not be used, sorted; at most a thousand.
    pub problems: Vec<Problem>,
}

/// How far a build has come.
#[derive(Clone, Debug)]
pub struct BuildProgress {
    /// The file being read; empty while the database is written.
    pub file: Utf8PathBuf,
    /// Records read so far.
    pub records: u64,
    /// Bytes of the input files that are done.
    pub done_bytes: u64,
    /// Bytes of all input files.
    pub total_bytes: u64,
}

/// Takes records one by one and makes a database of them.
pub struct Builder {
    kind: DatabaseKind,
    built: Timestamp,
    spool: Spool,
    signals: Signals,
    records: BTreeMap<String, Held>,
    problems: Vec<Problem>,
    problems_left_out: u64,
}

impl Builder {
    /// A builder that keeps everything in memory, for small sets. `built` stands in the file as its age.
    #[must_use]
    pub fn new(kind: DatabaseKind, built: Timestamp) -> Self {
        Self::with_spool(kind, built, Spool::memory())
    }

    fn with_spool(kind: DatabaseKind, built: Timestamp, spool: Spool) -> Self {
        Self {
            kind,
            built,
            spool,
            signals: Signals::default(),
            records: BTreeMap::new(),
            problems: Vec::new(),
            problems_left_out: 0,
        }
    }

    /// Adds one record as JSON. What cannot be used becomes a problem at `place`.
    ///
    /// # Errors
    /// When the records cannot be kept (the disk is full); never because of the record.
    pub fn add_json(&mut self, place: &str, json: &[u8]) -> Result<(), BuildError> {
        match serde_json::from_slice(json) {
            Ok(record) => self.add_record(place, record),
            Err(error) => {
                self.problem(place, format!("failed to read as an OSV record: {error}"));
                Ok(())
            }
        }
    }

    /// Adds one record. Of several with one id the most recently modified is kept.
    ///
    /// # Errors
    /// As [`Builder::add_json`].
    pub fn add_record(&mut self, place: &str, record: OsvRecord) -> Result<(), BuildError> {
        let id = record.id.trim().to_owned();
        let mut refused = Vec::new();
        if id.is_empty() || id.chars().any(char::is_control) {
            refused.push(Refused::NoId);
        } else {
            let held = Held::new(record, &mut self.spool, &mut |why| refused.push(why))?;
            let is_older = |known: &Held| !held.replaces(known);
            if !self.records.get(&id).is_some_and(is_older) {
                self.records.insert(id, held);
            }
        }
        for why in refused {
            self.problem(place, why.message().to_owned());
        }
        Ok(())
    }

    /// Takes CISA's catalogue: it says which vulnerabilities are exploited. `place` is where it came from.
    pub fn set_known_exploited(&mut self, place: &str, catalogue: Catalogue) {
        self.left_out(place, "entries", catalogue.unreadable);
        self.signals.exploited = Some(catalogue);
    }

    /// Takes FIRST's scores of one day. `place` is where they came from.
    pub fn set_epss(&mut self, place: &str, scores: Scores) {
        self.left_out(place, "rows", scores.unreadable);
        self.signals.epss = Some(scores);
    }

    fn left_out(&mut self, place: &str, what: &str, count: u64) {
        if count > 0 {
            self.problem(place, format!("{count} {what} could not be read"));
        }
    }

    fn problem(&mut self, place: &str, message: String) {
        let mut problem = Problem::new(ProblemCode::AdvisoryUnreadable, place, message);
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
            return;
        }
        // The first of all, whatever the order in which they came: the report is the same every time.
        self.problems_left_out = self.problems_left_out.saturating_add(1);
        if let Some(last) = self
            .problems
            .iter_mut()
            .max()
            .filter(|last| problem < **last)
        {
            std::mem::swap(last, &mut problem);
        }
    }

    /// Makes the database, in memory.
    ///
    /// # Errors
    /// When there is no record, or more than the format can number.
    pub fn finish(self) -> Result<(Vec<u8>, BuildReport), BuildError> {
        let (cursor, withdrawn, problems) = self.write(Cursor::new(Vec::new()))?;
        let database = Database::from_bytes(cursor.into_inner())?;
        let info = database.info();
        Ok((
            database.into_bytes(),
            BuildReport {
                info,
                withdrawn,
                problems,
            },
        ))
    }

    fn write<W: Write + Seek>(mut self, out: W) -> Result<(W, u64, Vec<Problem>), BuildError> {
        if self.records.is_empty() {
            let inputs = "the input".to_owned();
            return Err(BuildError::Empty { inputs });
        }
        let (_, out) = compile(
            self.kind,
            self.built,
            &self.records,
            &self.signals,
            &mut self.spool,
            out,
        )?;
        let withdrawn = self
            .records
            .values()
            .filter(|record| record.withdrawn)
            .count();
        let mut problems = self.problems;
        problems.sort_unstable();
        if self.problems_left_out > 0 {
            let message = format!("{} more problems are not listed", self.problems_left_out);
            problems.push(Problem::new(
                ProblemCode::AdvisoryUnreadable,
                "all inputs",
                message,
            ));
        }
        Ok((out, withdrawn as u64, problems))
    }
}

impl Refused {
    fn message(&self) -> &'static str {
        match self {
            Self::NoId => "record without a usable id",
            Self::NoPackage => "affected entry without the name of a package and its ecosystem",
            Self::Control => "affected package with control characters in its name",
        }
    }
}

/// What a database is built from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// OSV records: folders in OSV's layout, archives, JSON files.
    pub records: Vec<Utf8PathBuf>,
    /// CISA's catalogue of known exploited vulnerabilities, as JSON.
    pub known_exploited: Option<Utf8PathBuf>,
    /// FIRST's EPSS scores of one day, as CSV.
    pub epss: Option<Utf8PathBuf>,
}

/// Builds the database `out`. The old file, if there is one, is replaced in one step when the new one is whole
/// and on disk.
///
/// # Errors
/// When an input does not exist, there is no record at all, or `out` cannot be written. A bad record, archive
/// or feed is no error but a problem of the report.
pub fn build(
    sources: &Sources,
    out: &Utf8Path,
    built: Timestamp,
    progress: &dyn Fn(BuildProgress),
) -> Result<BuildReport, BuildError> {
    let mut files = Vec::new();
    for path in &sources.records {
        let input = |source| BuildError::Input {
            path: path.clone(),
            source,
        };
        for file in inputs::files(path).map_err(input)? {
            let size = std::fs::metadata(&file).map_err(input)?.len();
            files.push((file, size));
        }
    }
    files.sort();
    files.dedup();
    for path in sources.known_exploited.iter().chain(&sources.epss) {
        std::fs::metadata(path).map_err(|source| BuildError::Input {
            path: path.clone(),
            source,
        })?;
    }
    let mut now = BuildProgress {
        file: Utf8PathBuf::new(),
        records: 0,
        done_bytes: 0,
        total_bytes: files
            .iter()
            .map(|(_, size)| *size)
            .fold(0, u64::saturating_add),
    };
    let spool = Spool::file(folder_of(out)).map_err(|source| BuildError::Output {
        path: out.to_owned(),
        source,
    })?;
    let mut builder = Builder::with_spool(DatabaseKind::Full, built, spool);
    for (file, size) in &files {
        now.file.clone_from(file);
        progress(now.clone());
        let mut unreadable = Vec::new();
        let record = |place: &str, json: &[u8]| {
            now.records = now.records.saturating_add(1);
            if now.records.is_multiple_of(PROGRESS_STEP) {
                progress(now.clone());
            }
            builder.add_json(place, json)
        };
        let mut problem = |place: &str, message| unreadable.push((place.to_owned(), message));
        inputs::read(file, record, &mut problem)?;
        for (place, message) in unreadable {
            builder.problem(&place, message);
        }
        now.done_bytes = now.done_bytes.saturating_add(*size);
    }
    now.file = Utf8PathBuf::new();
    progress(now);
    if builder.records.is_empty() {
        let inputs: Vec<&str> = sources.records.iter().map(|path| path.as_str()).collect();
        return Err(BuildError::Empty {
            inputs: inputs.join(", "),
        });
    }
    if let Some(path) = &sources.known_exploited {
        match feed(path, Catalogue::parse) {
            Ok(catalogue) => builder.set_known_exploited(&inputs::place(path), catalogue),
            Err(why) => builder.problem(&inputs::place(path), why),
        }
    }
    if let Some(path) = &sources.epss {
        match feed(path, Scores::parse) {
            Ok(scores) => builder.set_epss(&inputs::place(path), scores),
            Err(why) => builder.problem(&inputs::place(path), why),
        }
    }
    replace(builder, out)
}

/// A feed that is there; why not is a problem of the report, since records alone make a database.
fn feed<T>(path: &Utf8Path, parse: impl Fn(&[u8]) -> Result<T, FeedError>) -> Result<T, String> {
    let read = signals::read(path).and_then(|content| parse(&content));
    read.map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

/// Writes beside the target, then renames: whoever has the old file open keeps it, nobody sees half a file.
fn replace(builder: Builder, out: &Utf8Path) -> Result<BuildReport, BuildError> {
    let failed = |source| BuildError::Output {
        path: out.to_owned(),
        source,
    };
    let folder = folder_of(out);
    let mut settings = tempfile::Builder::new();
    settings.prefix(".advisories-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        settings.permissions(std::fs::Permissions::from_mode(0o644));
    }
    let temporary = settings.tempfile_in(folder).map_err(failed)?;
    let writer = BufWriter::with_capacity(1 << 18, temporary);
    let (writer, withdrawn, problems) = builder.write(writer)?;
    let temporary = writer
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    temporary.as_file().sync_all().map_err(failed)?;
    let path = Utf8Path::from_path(temporary.path())
        .ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let database = Database::open(path)?;
    database.verify()?;
    let info = database.info();
    drop(database);
    temporary
        .persist(out)
        .map_err(|error| failed(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(BuildReport {
        info,
        withdrawn,
        problems,
    })
}

fn folder_of(out: &Utf8Path) -> &Utf8Path {
    match out.parent() {
        Some(folder) if !folder.as_str().is_empty() => folder,
        _ => Utf8Path::new("."),
    }
}
