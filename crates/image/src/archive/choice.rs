//! Which image of an archive is read, and which of its names are names.

use seareeve_model::{Digest, ImageReference, ProblemCode};

use crate::ReadError;
use crate::problems::{Problems, shown};

/// Images that an error lists.
const LISTED: usize = 50;

/// One image of an archive, as far as it is known before it is chosen.
pub(super) struct Candidate {
    pub(super) names: Vec<String>,
    /// Of the manifest or the configuration, where it is known.
    pub(super) digests: Vec<Digest>,
}

impl Candidate {
    fn is(&self, wanted: &str) -> bool {
        let reference: Option<ImageReference> = wanted.parse().ok();
        let same = |name: &String| {
            name == wanted || (reference.is_some() && name.parse().ok() == reference)
        };
        let digest = digest_in(wanted);
        self.names.iter().any(same) || digest.is_some_and(|digest| self.digests.contains(&digest))
    }

    fn text(&self) -> String {
        match (self.names.as_slice(), self.digests.first()) {
            ([], Some(digest)) => digest.to_string(),
            ([], None) => "an image without a name".to_owned(),
            (names, _) => {
                let names: Vec<String> = names
                    .iter()
                    .take(LISTED)
                    .map(|name| shown(name.as_bytes()))
                    .collect();
                names.join(" = ")
            }
        }
    }
}

/// The index of the image that was asked for, or of the only one.
pub(super) fn choose(
    candidates: &[Candidate],
    wanted: Option<&str>,
    path: &str,
) -> Result<usize, ReadError> {
    let listed = || {
        let mut names: Vec<String> = candidates
            .iter()
            .take(LISTED)
            .map(Candidate::text)
            .collect();
        if candidates.len() > LISTED {
            names.push(format!("{} more", candidates.len().saturating_sub(LISTED)));
        }
        names.join(", ")
    };
    let found = wanted.map(|wanted| candidates.iter().position(|one| one.is(wanted)));
    match (found, wanted, candidates) {
        (Some(Some(index)), _, _) => Ok(index),
        // Archives without names are common (`docker save` of an id), and then there is nothing to compare.
        (_, _, [only]) if wanted.is_none() || only.names.is_empty() => Ok(0),
        (_, Some(wanted), _) => Err(ReadError::NotInArchive {
            path: path.to_owned(),
            wanted: shown(wanted.as_bytes()),
            available: listed(),
        }),
        (_, None, _) => Err(ReadError::SeveralImages {
            path: path.to_owned(),
            available: listed(),
        }),
    }
}

/// The digest in what was asked for, where it is one or ends with one.
pub(super) fn digest_in(wanted: &str) -> Option<Digest> {
    let reference: Option<ImageReference> = wanted.parse().ok();
    let named = reference.as_ref().and_then(ImageReference::digest).cloned();
    named.or_else(|| wanted.parse().ok())
}

/// Checks that the image that was chosen, now that all its digests are known, is the one that was asked for by one.
pub(super) fn confirm(
    wanted: Option<&str>,
    digests: &[&Digest],
    path: &str,
) -> Result<(), ReadError> {
    match wanted.and_then(digest_in) {
        Some(digest) if !digests.contains(&&digest) => Err(ReadError::NotInArchive {
            path: path.to_owned(),
            wanted: shown(wanted.unwrap_or_default().as_bytes()),
            available: digests
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" = "),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Keeps the names that are references to images. An archive can claim any text to be one; what no
/// registry or engine could have under that name is said and left out.
pub(crate) fn checked(names: Vec<String>, problems: &mut Problems) -> Vec<String> {
    let mut checked = Vec::new();
    for name in names {
        match name.parse::<ImageReference>() {
            Ok(_) => checked.push(name),
            Err(_) => problems.add(
                ProblemCode::ContentMismatch,
                || "archive".to_owned(),
                format!(
                    "the name {} was left out, because it is no reference to an image",
                    shown(name.as_bytes())
                ),
            ),
        }
    }
    checked
}
