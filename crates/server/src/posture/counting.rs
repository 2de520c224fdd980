//! What one asset adds to the sums that lists and the secure score are made of. Pure.
//!
//! `posture::score` says what a score is, from what is said of each asset. The sums say the same of any number of assets
//! without looking at them again; a test holds both together.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_posture::Catalogue;
use seareeve_store::assets::HealthState;
use seareeve_store::health_counts::{CountKey, Share};

/// What an asset is in a score group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Healthy for all that concerns it.
    Healthy,
    /// It needs something.
    Unhealthy,
    /// It needs nothing that is known of, and not all could be told.
    Unknown,
    /// Nothing concerns it.
    Out,
}

impl Standing {
    pub(crate) const COUNTED: [Self; 3] = [Self::Healthy, Self::Unhealthy, Self::Unknown];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
            Self::Out => "out",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let mut all = Self::COUNTED.into_iter().chain([Self::Out]);
        all.find(|one| one.as_str() == word)
    }

    /// Of what the recommendations of a group say.
    fn of(said: impl Iterator<Item = HealthState>) -> Self {
        let mut standing = Self::Out;
        for state in said {
            standing = match (standing, state) {
                (Self::Unhealthy, _) | (_, HealthState::Unhealthy) => Self::Unhealthy,
                (Self::Unknown, _) | (_, HealthState::Unknown) => Self::Unknown,
                (Self::Healthy, _) | (_, HealthState::Healthy) => Self::Healthy,
                (Self::Out, HealthState::NotApplicable) => Self::Out,
            };
        }
        standing
    }
}

/// What is counted beside how many assets there are of each standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Assets of a group, or of which a recommendation says so.
    Is(Standing),
    /// Assets that a recommendation does not concern.
    NotApplicable,
    /// Assets of a group that need something, and not all of which could be told.
    UnhealthyAndUnknown,
    /// Assets that need one recommendation only, by what they are when they no longer do.
    Mended(Standing),
    /// Assets that are something else when a recommendation does not concern them: from and to.
    Exempt(Standing, Standing),
}

impl Word {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Is(standing) => standing.as_str().to_owned(),
            Self::NotApplicable => "not-applicable".to_owned(),
            Self::UnhealthyAndUnknown => "unhealthy-and-unknown".to_owned(),
            Self::Mended(standing) => format!("mended {}", standing.as_str()),
            Self::Exempt(from, to) => format!("exempt {} {}", from.as_str(), to.as_str()),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let mut standing = || parts.next().map(Standing::parse);
        Some(match text.split(' ').next()? {
            "not-applicable" => Self::NotApplicable,
            "unhealthy-and-unknown" => Self::UnhealthyAndUnknown,
            "mended" => {
                standing()?;
                Self::Mended(standing()??)
            }
            "exempt" => {
                standing()?;
                Self::Exempt(standing()??, standing()??)
            }
            word => Self::Is(Standing::parse(word)?),
        })
    }
}

/// What an asset adds of which recommendations say this.
pub(crate) fn share<'s>(
    catalogue: &Catalogue,
    said: impl IntoIterator<Item = (&'s str, HealthState)>,
) -> Share {
    let mut share = Share::default();
    let mut groups: BTreeMap<&str, Vec<(&str, HealthState)>> = BTreeMap::new();
    let add = |group: &str, recommendation: &str, word: Word, counted: &mut BTreeSet<_>| {
        counted.insert(CountKey {
            group: group.to_owned(),
            recommendation: recommendation.to_owned(),
            word: word.text(),
        });
    };
    for (id, state) in said {
        let word = match state {
            HealthState::Healthy => Word::Is(Standing::Healthy),
            HealthState::Unhealthy => Word::Is(Standing::Unhealthy),
            HealthState::Unknown => Word::Is(Standing::Unknown),
            HealthState::NotApplicable => Word::NotApplicable,
        };
        add("", id, word, &mut share.counted);
        let known = catalogue.recommendation(id).filter(|one| !one.preview);
        for group in known.iter().flat_map(|one| &one.score_groups) {
            groups.entry(group).or_default().push((id, state));
        }
    }
    for (group, said) in groups {
        let is = Standing::of(said.iter().map(|(_, state)| *state));
        if is == Standing::Out {
            continue;
        }
        let counted = &mut share.counted;
        share
            .groups
            .insert(group.to_owned(), is.as_str().to_owned());
        add(group, "", Word::Is(is), counted);
        let is_unknown = said.iter().any(|(_, state)| *state == HealthState::Unknown);
        if is == Standing::Unhealthy && is_unknown {
            add(group, "", Word::UnhealthyAndUnknown, counted);
        }
        for (at, (id, state)) in said.iter().enumerate() {
            // As if this one said something else.
            let with = |other: HealthState| {
                let states = said.iter().enumerate();
                Standing::of(
                    states.map(|(index, (_, state))| if index == at { other } else { *state }),
                )
            };
            let mended = with(HealthState::Healthy);
            if *state == HealthState::Unhealthy && mended != is {
                add(group, id, Word::Mended(mended), counted);
            }
            let exempt = with(HealthState::NotApplicable);
            if *state != HealthState::NotApplicable && exempt != is {
                add(group, id, Word::Exempt(is, exempt), counted);
            }
        }
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        let all = [
            Word::Is(Standing::Unhealthy),
            Word::NotApplicable,
            Word::UnhealthyAndUnknown,
            Word::Mended(Standing::Unknown),
            Word::Exempt(Standing::Healthy, Standing::Out),
        ];
        for word in all {
            assert_eq!(Word::parse(&word.text()), Some(word));
        }
        for wrong in ["", "mended", "exempt healthy", "well"] {
            assert_eq!(Word::parse(wrong), None, "{wrong}");
        }
    }
}
