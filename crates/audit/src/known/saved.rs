//! What is known, as bytes that survive a restart.
//!
//! Aspects go by their names and not by their numbers, so that a later program with more of them reads what an earlier
//! one wrote. Fingerprints are numbers that only programs understand that make them in the same way: a probe says
//! whether this one does, and what is not understood is learned anew.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Known, REGISTRIES, State};
use crate::portrait::{Aspect, fingerprint};

/// What begins a saved state.
const MAGIC: &[u8; 4] = b"SRKN";
/// The form of what follows.
const VERSION: u32 = 1;
/// Bytes of a saved state at most. More objects than fit are forgotten, those not asked for first.
const MOST_BYTES: usize = 64 << 20;

/// Why a saved state cannot be used. What was known is then learned anew.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is of another version, or no state at all.
    #[error("it is no state of this version")]
    Version,
    /// It is larger than any that is saved.
    #[error("{0} bytes, of which {MOST_BYTES} are read")]
    Large(usize),
    /// It is damaged.
    #[error("the state is damaged")]
    Damaged(#[source] postcard::Error),
}

#[derive(Serialize, Deserialize)]
struct Saved<'s> {
    /// How this program makes fingerprints.
    probe: u64,
    /// The names of aspects, by the numbers that objects have.
    #[serde(borrow)]
    aspects: Vec<&'s str>,
    /// Texts that many objects have in common: who made them, and of what they are.
    #[serde(borrow)]
    shared: Vec<&'s str>,
    #[serde(borrow)]
    registries: Vec<&'s str>,
    has_kubeflow: bool,
    /// Those that were not asked for lately come first.
    #[serde(borrow)]
    objects: Vec<SavedObject<'s>>,
}

#[derive(Serialize, Deserialize)]
struct SavedObject<'s> {
    key: &'s str,
    fingerprints: Vec<u64>,
    #[serde(borrow)]
    kept: Vec<(u8, &'s str)>,
    #[serde(borrow)]
    labels: Vec<(&'s str, &'s str)>,
    actor: Option<u32>,
    root: Option<u32>,
}

/// Numbers for texts that come again and again.
#[derive(Default)]
struct Shared<'s> {
    texts: Vec<&'s str>,
    numbers: HashMap<&'s str, u32>,
}

impl<'s> Shared<'s> {
    fn number(&mut self, text: Option<&'s Arc<str>>) -> Option<u32> {
        let text: &str = text?;
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let number = u32::try_from(self.texts.len()).ok()?;
        self.texts.push(text);
        self.numbers.insert(text, number);
        Some(number)
    }
}

/// Of every aspect: equal where fingerprints are made in the same way.
fn probe() -> u64 {
    let all = Aspect::ALL.iter();
    all.fold(0, |sum, (aspect, name, _)| {
        sum.rotate_left(7) ^ fingerprint(&(*aspect, format!("registry.invalid/{name}:1")))
    })
}

impl State {
    /// What is known of objects, as bytes that [`State::restore`] reads. Which requests came is not among it.
    ///
    /// # Errors
    /// Never, but for a bug.
    pub fn save(&self) -> Result<Vec<u8>, StateError> {
        let mut shared = Shared::default();
        let mut room = MOST_BYTES / 2;
        let mut objects = Vec::with_capacity(self.objects.len());
        // The younger ones come first here, and last in what is saved.
        for (key, known) in self.objects.iter() {
            let object = SavedObject {
                key,
                fingerprints: known.fingerprints.to_vec(),
                kept: known
                    .kept
                    .iter()
                    .filter_map(|(aspect, what)| {
                        let mut all = Aspect::ALL.iter();
                        let number = all.position(|(known, _, _)| known == aspect)?;
                        Some((u8::try_from(number).ok()?, what.as_str()))
                    })
                    .collect(),
                labels: known
                    .labels
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect(),
                actor: shared.number(known.actor.as_ref()),
                root: shared.number(known.root.as_ref()),
            };
            match room.checked_sub(object.weight()) {
                Some(rest) => room = rest,
                None => break,
            }
            objects.push(object);
        }
        objects.reverse();
        let mut registries: Vec<&str> = self.registries.iter().map(String::as_str).collect();
        registries.sort_unstable();
        let saved = Saved {
            probe: probe(),
            aspects: Aspect::ALL.iter().map(|(_, name, _)| *name).collect(),
            shared: shared.texts,
            registries,
            has_kubeflow: self.has_kubeflow,
            objects,
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_be_bytes());
        postcard::to_extend(&saved, bytes).map_err(StateError::Damaged)
    }

    /// Knows what another one did, and nothing else.
    ///
    /// # Errors
    /// When the bytes are no state of this version; then nothing has changed.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        if bytes.len() > MOST_BYTES {
            return Err(StateError::Large(bytes.len()));
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(StateError::Version)?;
        let rest = rest
            .strip_prefix(&VERSION.to_be_bytes())
            .ok_or(StateError::Version)?;
        let saved: Saved<'_> = postcard::from_bytes(rest).map_err(StateError::Damaged)?;
        if saved.probe != probe() {
            return Err(StateError::Version);
        }
        let by_name: BTreeMap<&str, Aspect> = Aspect::ALL
            .iter()
            .map(|(aspect, name, _)| (*name, *aspect))
            .collect();
        let aspects: Vec<Option<Aspect>> = saved
            .aspects
            .iter()
            .map(|name| by_name.get(name).copied())
            .collect();
        let shared: Vec<Arc<str>> = saved.shared.iter().map(|text| Arc::from(*text)).collect();
        let text = |number: Option<u32>| {
            let number = usize::try_from(number?).ok()?;
            shared.get(number).map(Arc::clone)
        };
        let mut state = Self::default();
        for object in saved.objects {
            let mut fingerprints = object.fingerprints;
            // They are looked up by halving.
            fingerprints.sort_unstable();
            let kept = object.kept.iter().filter_map(|(number, what)| {
                let aspect = aspects.get(usize::from(*number)).copied().flatten()?;
                Some((aspect, (*what).to_owned()))
            });
            let labels = object.labels.iter();
            let known = Known {
                fingerprints: fingerprints.into(),
                kept: kept.collect(),
                labels: labels
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                actor: text(object.actor),
                root: text(object.root),
            };
            state.objects.insert(object.key.to_owned(), Arc::new(known));
        }
        let registries = saved.registries.into_iter().take(REGISTRIES);
        state.registries = registries.map(str::to_owned).collect::<HashSet<_>>();
        state.has_kubeflow = saved.has_kubeflow;
        *self = state;
        Ok(())
    }
}

impl SavedObject<'_> {
    /// Bytes, about.
    fn weight(&self) -> usize {
        let kept: usize = self.kept.iter().map(|(_, what)| what.len() + 4).sum();
        let labels: usize = self
            .labels
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        self.key.len() + self.fingerprints.len() * 10 + kept + labels + 16
    }
}
