//! What a file of content says of itself, before it is added to a library: whether it is a check or a benchmark, and
//! the name that it has there.

use crate::benchmark::BenchmarkFile;
use crate::check::Check;
use crate::library::Reason;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContentKind {
    /// A check.
    Check,
    /// An edition of a benchmark.
    Benchmark,
}

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What it is.
    pub kind: ContentKind,
    /// The check's or the benchmark's id.
    pub id: String,
    /// What its file is called, without the ending: a check's id, or a benchmark's id and edition.
    pub name: String,
    /// For people.
    pub title: String,
}

impl ContentKind {
    /// What a text looks like. A benchmark has controls, or is like another edition; everything else is taken for a
    /// check.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let is_benchmark = text
            .lines()
            .any(|line| line.starts_with("controls:") || line.starts_with("like:"));
        if is_benchmark {
            Self::Benchmark
        } else {
            Self::Check
        }
    }
}

impl Described {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is no check or benchmark, or breaks a limit.
    pub fn read(text: &str) -> Result<Self, Reason> {
        let kind = ContentKind::of(text);
        Ok(match kind {
            ContentKind::Check => {
                let check = Check::parse(text)?;
                Self {
                    kind,
                    id: check.id().to_owned(),
                    name: check.id().to_owned(),
                    title: check.title().to_owned(),
                }
            }
            ContentKind::Benchmark => {
                let file = BenchmarkFile::parse(text)?;
                Self {
                    kind,
                    name: format!("{}-{}", file.id, file.version),
                    title: file.title().to_owned(),
                    id: file.id,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_is_told_from_a_check() {
        let text =
            "id: acme-hosts\nversion: \"1.0\"\ntitle: Ours\nasset: docker-host\ncontrols: []\n";
        let described = Described::read(text).unwrap();
        assert_eq!(
            (described.kind, described.name.as_str()),
            (ContentKind::Benchmark, "acme-hosts-1.0")
        );
        for wrong in ["../../etc", "a b", "x\\r\\n"] {
            let text = text.replace("acme-hosts", &format!("\"{wrong}\""));
            assert!(Described::read(&text).is_err(), "{wrong}");
        }
        assert_eq!(
            ContentKind::of("id: a\nfail_if: it.x\n"),
            ContentKind::Check
        );
    }
}
