//! `seareeve db java-index`, and the index that it made.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_scan::ecosystems::JavaIndex;
use seareeve_server::config::Config;
use serde::Serialize;

use crate::args::DbJavaIndexArgs;
use crate::commands::{Outcome, db};
use crate::output::{self, Messages};

/// Builds the index.
///
/// # Errors
/// When what to build from cannot be read, or the index not written.
pub(crate) fn build(
    args: &DbJavaIndexArgs,
    config: &Config,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let output = match &args.output {
        Some(output) => output.clone(),
        None => {
            db::make_data_folder(config)?;
            config.java_index_file()
        }
    };
    let report = JavaIndex::build(&args.from, &output)?;
    output::result(None, &format!("{output}: {} archives\n", report.archives))?;
    for problem in &report.problems {
        messages.note(format!("not used: {problem}"));
    }
    Ok(if report.problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Incomplete
    })
}

/// The index that a user named, or the one in the data folder if there is one.
///
/// # Errors
/// When it cannot be used: archives that it knows would look as if nobody knew them.
pub(crate) fn open(file: Option<&Utf8Path>, config: &Config) -> anyhow::Result<Option<JavaIndex>> {
    let default = config.java_index_file();
    let path = match file {
        Some(file) => file,
        None if default.exists() => &default,
        None => return Ok(None),
    };
    let index = JavaIndex::open(path).with_context(|| {
        format!("failed to use the Java index {path}: `seareeve db java-index` makes a new one")
    })?;
    Ok(Some(index))
}

/// The index, for `seareeve db status`.
#[derive(Serialize)]
pub(crate) struct Facts {
    /// Where it is.
    pub(crate) file: Utf8PathBuf,
    /// Archives that it knows.
    pub(crate) archives: u64,
    /// When it was built.
    pub(crate) built: Option<Timestamp>,
}

impl Facts {
    /// Those of the index that [`open`] gives.
    ///
    /// # Errors
    /// As [`open`].
    pub(crate) fn of(file: Option<&Utf8Path>, config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(index) = open(file, config)? else {
            return Ok(None);
        };
        let file = file.map_or_else(|| config.java_index_file(), Utf8Path::to_owned);
        let modified = std::fs::metadata(&file).and_then(|metadata| metadata.modified());
        Ok(Some(Self {
            archives: index.archives(),
            built: modified
                .ok()
                .and_then(|time| Timestamp::try_from(time).ok()),
            file,
        }))
    }
}
