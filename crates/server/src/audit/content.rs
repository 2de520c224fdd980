//! By what events are judged: what is built in, the rule files that people brought, and what they changed about both,
//! for all clusters or for one.
//!
//! Made anew from the store with every change, in one piece, and exchanged while judges run: a judge takes the new
//! rules before its next batch, and what unchanged rules remember stays. What can no longer be used (a newer program may
//! know other fields) is left out and told; what is built in always works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_api::{DetectionFault, TuningChange, TuningValue};
use seareeve_audit::{AuditSource, SOURCE};
use seareeve_detect::{
    Diagnostic, Engine, Loaded, Loader, NamedList, Options, Rule, TunedException, TunedValue,
    Tuning, UnknownFields,
};
use seareeve_model::{AlertSeverity, Digest};
use seareeve_store::detections::{self, OwnFile, Tuning as Stored};
use seareeve_store::{AuditClusterId, Store, StoreError};

use crate::intel::Known;

/// The folder that people's files stand in, as messages name them.
const OWN: &str = "own/";
/// What stands in place of a file's name in messages about lists of threat intelligence.
const INTEL: &str = "threat intelligence";
/// What stands in place of a file's name in messages about what was changed.
const TUNING: &str = "tuning";
/// Where the detections stand that are about audit events.
const BUILT_IN: &str = "detections/audit/";

/// What people brought and changed, as the store holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) files: Vec<OwnFile>,
    pub(crate) tunings: Vec<Stored>,
    pub(crate) unknown_fields: UnknownFields,
    /// What lists of threat intelligence add.
    pub(crate) known: Known,
}

/// See the module.
pub(crate) struct Content {
    /// For clusters about which nothing is changed.
    shared: Arc<Engine>,
    by_cluster: BTreeMap<i64, Arc<Engine>>,
    /// Rules as their files say them.
    plain: BTreeMap<String, Plain>,
    /// Lists as their files say them.
    pub(crate) lists: Vec<NamedList>,
    /// What is wrong or odd about people's files.
    pub(crate) faults: Vec<DetectionFault>,
    /// Changes that cannot be used, and why.
    pub(crate) unusable: BTreeMap<i64, String>,
    pub(crate) given: Given,
    /// The last line of the history that is in it.
    version: i64,
}

/// What a rule is if nobody changes it.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    pub(crate) is_on: bool,
    pub(crate) severity: AlertSeverity,
    pub(crate) content: Digest,
}

impl Content {
    /// Everything, made of what is built in and what is given. Only a fault of what is built in is an error.
    pub(crate) fn make(given: Given, version: i64, now: Timestamp) -> anyhow::Result<Self> {
        let mut faults = Vec::new();
        let mut files = given.files.as_slice();
        let (mut plain, mut lists) = load(&given, files, &Tuning::default());
        if let Err(why) = is_whole(&plain) {
            if files.is_empty() {
                anyhow::bail!("a built-in detection cannot be used: {why}");
            }
            // Something that was brought is in the way of what is built in.
            faults.extend(files.iter().map(|file| {
                let why = format!("left out, as all files are: {why}");
                whole_fault(&file.name, &why)
            }));
            files = &[];
            (plain, lists) = load(&given, files, &Tuning::default());
        }
        faults.extend(plain.diagnostics.iter().filter_map(fault_of_own));
        let in_force: Vec<&Stored> = given
            .tunings
            .iter()
            .filter(|tuning| tuning.said.expires.is_none_or(|expires| expires > now))
            .collect();
        let mut unusable = BTreeMap::new();
        let mut tuned = |cluster: Option<AuditClusterId>| {
            let all = in_force.iter().copied().filter(|one| {
                one.said.cluster.is_none() || (cluster.is_some() && one.said.cluster == cluster)
            });
            // Those for one cluster come after those for all, and win.
            let mut all: Vec<&Stored> = all.collect();
            all.sort_by_key(|one| (one.said.cluster.is_some(), one.id));
            tune(&given, files, all, &plain, &mut unusable)
        };
        let shared = Arc::new(tuned(None));
        let clusters: BTreeSet<i64> = in_force
            .iter()
            .filter_map(|one| Some(one.said.cluster?.0))
            .collect();
        let by_cluster = clusters
            .into_iter()
            .map(|cluster| (cluster, Arc::new(tuned(Some(AuditClusterId(cluster))))))
            .collect();
        let plain = plain.engine.rules().map(|rule| {
            let plain = Plain {
                is_on: rule.is_enabled,
                severity: rule.severity,
                content: rule.content.clone(),
            };
            (rule.id.clone(), plain)
        });
        Ok(Self {
            shared,
            by_cluster,
            plain: plain.collect(),
            lists,
            faults,
            unusable,
            given,
            version,
        })
    }

    /// Made of what the store holds.
    pub(crate) async fn read(
        store: &Store,
        unknown_fields: UnknownFields,
        known: Known,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        // The version first: what is changed meanwhile is then noticed at the next look.
        let version = detections::latest(store).await?;
        let given = given(store, unknown_fields, known).await?;
        tokio::task::spawn_blocking(move || Self::make(given, version, now)).await?
    }

    /// The lists of threat intelligence in it.
    pub(crate) fn known(&self) -> &Known {
        &self.given.known
    }

    /// The last line of the history that is in it.
    pub(crate) fn version(&self) -> i64 {
        self.version
    }

    /// By what a cluster's events are judged.
    pub(crate) fn engine(&self, cluster: AuditClusterId) -> &Arc<Engine> {
        self.by_cluster.get(&cluster.0).unwrap_or(&self.shared)
    }

    /// By what those of all other clusters are.
    pub(crate) fn shared(&self) -> &Arc<Engine> {
        &self.shared
    }

    /// Clusters with changes of their own.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = (i64, &Arc<Engine>)> {
        self.by_cluster.iter().map(|(id, engine)| (*id, engine))
    }

    pub(crate) fn rule(&self, id: &str) -> Option<&Rule> {
        self.shared.rules().find(|rule| rule.id == id)
    }

    /// All detections over audit events, those that are off too.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.shared.rules().filter(|rule| rule.source == SOURCE)
    }

    /// What a rule is if nobody changes it.
    pub(crate) fn plain(&self, id: &str) -> Option<&Plain> {
        self.plain.get(id)
    }
}

/// What the store holds.
pub(crate) async fn given(
    store: &Store,
    unknown_fields: UnknownFields,
    known: Known,
) -> Result<Given, StoreError> {
    Ok(Given {
        files: detections::files(store).await?,
        tunings: detections::tunings(store).await?,
        unknown_fields,
        known,
    })
}

/// What is built in, with what lists of threat intelligence add, and these files of people's, changed.
pub(crate) fn load(given: &Given, files: &[OwnFile], tuning: &Tuning) -> (Loaded, Vec<NamedList>) {
    let options = Options {
        unknown_fields: given.unknown_fields,
        ..Options::default()
    };
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], options);
    loader.content(&seareeve_detect::Content::builtin());
    for (list, items) in given.known.joined.added() {
        if !loader.extend(list, items) {
            let why = format!("there is no list {list}, or no room in it");
            loader.unreadable(&format!("{OWN}{INTEL}"), &why);
        }
    }
    for file in files {
        loader.file(&format!("{OWN}{}", file.name), &file.content);
    }
    let lists = loader.lists();
    loader.tune(tuning, TUNING);
    (loader.finish(), lists)
}

/// Whether everything that is built in is there and can be used; otherwise what is not.
pub(crate) fn is_whole(loaded: &Loaded) -> Result<(), String> {
    let is_ours = |found: &&Diagnostic| found.code.is_error() && !found.file.starts_with(OWN);
    if let Some(wrong) = loaded.diagnostics.iter().find(is_ours) {
        return Err(wrong.to_string());
    }
    let there: BTreeSet<&str> = loaded
        .engine
        .rules()
        .filter(|rule| rule.is_detection && !rule.file.starts_with(OWN))
        .map(|rule| rule.id.as_str())
        .collect();
    let builtin = seareeve_detect::Content::builtin();
    let mut ids = builtin.detections.iter().filter_map(|(name, _)| {
        let id = name.strip_prefix(BUILT_IN)?;
        id.strip_suffix(".yaml")
    });
    match ids.find(|id| !there.contains(id)) {
        Some(id) => Err(format!(
            "the built-in detection {id} is redefined: append to it or override it, or give the rule another name"
        )),
        None => Ok(()),
    }
}

/// The file's name as whoever brought it knows it; nothing for what is built in.
pub(crate) fn own_name(file: &str) -> Option<&str> {
    file.strip_prefix(OWN)
}

/// What is wrong or odd with a file that somebody brought.
pub(crate) fn fault_of_own(found: &Diagnostic) -> Option<DetectionFault> {
    let file = own_name(&found.file)?;
    Some(fault(file, found))
}

pub(crate) fn fault(file: &str, found: &Diagnostic) -> DetectionFault {
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    DetectionFault {
        file: file.to_owned(),
        line: number(found.line),
        column: number(found.column),
        code: found.code.as_str().to_owned(),
        item: found.item.clone(),
        message: cut(&found.message),
        is_error: found.code.is_error(),
    }
}

/// A fault of a whole file.
pub(crate) fn whole_fault(file: &str, message: &str) -> DetectionFault {
    DetectionFault {
        file: file.to_owned(),
        line: 0,
        column: 0,
        code: "LOAD_ERR_VALIDATE".to_owned(),
        item: String::new(),
        message: cut(message),
        is_error: true,
    }
}

/// What a hostile file says about itself may be long.
fn cut(message: &str) -> String {
    message.chars().take(1_000).collect()
}

/// The engine with these changes; those that cannot be used are left out and noted.
fn tune(
    given: &Given,
    files: &[OwnFile],
    mut tunings: Vec<&Stored>,
    plain: &Loaded,
    unusable: &mut BTreeMap<i64, String>,
) -> Engine {
    loop {
        let (tuning, broken) = tuning(&tunings);
        unusable.extend(broken);
        let (loaded, _) = load(given, files, &tuning);
        let known: BTreeSet<&Diagnostic> = plain.diagnostics.iter().collect();
        let new: Vec<&Diagnostic> = loaded
            .diagnostics
            .iter()
            .filter(|found| found.code.is_error() && !known.contains(found))
            .collect();
        let Some(first) = new.first().filter(|_| !tunings.is_empty()) else {
            return loaded.engine;
        };
        // Those that are named go first, then those of lists, then all: each round leaves fewer.
        let title = |id: &str| plain.engine.rule(id).map(|rule| rule.name.clone());
        let is_named = |one: &Stored| {
            let target = &one.said.target;
            let names = [Some(target.clone()), title(target)];
            let mut names = names.iter().flatten();
            names.any(|name| {
                let quoted = format!("'{name}'");
                new.iter().any(|found| found.item.ends_with(&quoted))
            })
        };
        let is_list = |one: &Stored| one.said.kind == detections::TuningKind::List;
        let named = tunings.iter().any(|one| is_named(one));
        let lists = tunings.iter().any(|one| is_list(one));
        let why = first.message.clone();
        tunings.retain(|one| {
            let goes = match (named, lists) {
                (true, _) => is_named(one),
                (false, true) => is_list(one),
                (false, false) => true,
            };
            if goes {
                unusable.insert(one.id.0, cut(&why));
            }
            !goes
        });
    }
}

/// Stored changes as the engine takes them, and those that cannot be understood.
pub(crate) fn tuning(stored: &[&Stored]) -> (Tuning, BTreeMap<i64, String>) {
    let mut tuning = Tuning::default();
    let mut broken = BTreeMap::new();
    for one in stored {
        match serde_json::from_str::<TuningChange>(&one.said.value) {
            Ok(change) => apply(&mut tuning, &one.said.target, &change, one.id.0),
            Err(error) => {
                broken.insert(one.id.0, format!("it cannot be understood: {error}"));
            }
        }
    }
    (tuning, broken)
}

/// Adds a change to others: it wins over those before it.
pub(crate) fn apply(tuning: &mut Tuning, target: &str, change: &TuningChange, id: i64) {
    match change {
        TuningChange::Switch { is_on } => {
            tuning.switches.insert(target.to_owned(), *is_on);
        }
        TuningChange::Severity { severity } => {
            if let Some(severity) = AlertSeverity::parse(severity) {
                tuning.severities.insert(target.to_owned(), severity);
            }
        }
        TuningChange::Exception {
            fields,
            comps,
            values,
        } => tuning.exceptions.push(TunedException {
            rule: target.to_owned(),
            name: format!("{TUNING} {id}"),
            fields: fields.clone(),
            comparisons: comps.clone(),
            rows: values
                .iter()
                .map(|row| row.iter().map(tuned_value).collect())
                .collect(),
        }),
        TuningChange::List { add, remove } => {
            let list = tuning.lists.entry(target.to_owned()).or_default();
            for item in add {
                list.removed.remove(item);
                list.added.insert(item.clone());
            }
            for item in remove {
                list.added.remove(item);
                list.removed.insert(item.clone());
            }
        }
    }
}

fn tuned_value(value: &TuningValue) -> TunedValue {
    match value {
        TuningValue::One(text) => TunedValue::One(text.clone()),
        TuningValue::Many(texts) => TunedValue::Many(texts.clone()),
    }
}
