//! Where objects come from: manifests, a cluster, or facts that were saved.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_collect::kubernetes::{Cluster, Connection, Limits, manifests};
use seareeve_kubernetes::{Documents, Kind, Label, State, snapshot};
use seareeve_model::{CollectionStatus, Problem, ProblemCode, Snapshot};

use super::objects::Objects;
use crate::commands::docker::saved;
use crate::output::Messages;
use crate::surroundings::{InCluster, Surroundings};

/// What was read.
pub(crate) struct Source {
    pub(super) objects: Objects,
    pub(crate) snapshot: Snapshot,
    pub(crate) problems: Vec<Problem>,
}

/// What to read: facts before manifests, and a cluster where neither is given.
pub(crate) struct Wanted<'a> {
    pub(crate) facts: Option<&'a Utf8Path>,
    pub(crate) file: &'a [Utf8PathBuf],
    pub(crate) kubeconfig: Option<&'a Utf8PathBuf>,
    pub(crate) context: Option<&'a str>,
}

impl Source {
    pub(crate) fn read(
        args: &Wanted<'_>,
        surroundings: &Surroundings,
        messages: &Messages,
    ) -> anyhow::Result<Self> {
        if let Some(file) = args.facts {
            return Ok(Self::of_snapshot(saved(file)?));
        }
        if !args.file.is_empty() {
            return Self::of_manifests(args.file, surroundings);
        }
        let connection = connection(args, surroundings)?;
        messages.note(format!("reading the cluster {}", connection.name));
        let cluster = Cluster::new(&connection, Limits::default())?;
        let state = cluster
            .read()
            .with_context(|| format!("failed to read the cluster {}", connection.name))?;
        let id = state.uid().unwrap_or_else(|| connection.server.clone());
        let label = label(id, connection.name, connection.server, surroundings);
        Ok(Self::of_snapshot(snapshot(&state, label)))
    }

    fn of_manifests(paths: &[Utf8PathBuf], surroundings: &Surroundings) -> anyhow::Result<Self> {
        for path in paths.iter().filter(|path| path.as_str() != "-") {
            // What a user names is there; what a folder holds may not be readable.
            std::fs::metadata(path).with_context(|| format!("failed to read {path}"))?;
        }
        let read = manifests(paths, &mut std::io::stdin().lock());
        let documents = read.documents;
        let objects = Objects::of_documents(&documents);
        let mut state = State::new(Kind::Manifests);
        let problems = documents.troubles.into_iter().map(Problem::from).collect();
        for object in documents.objects {
            state.add(object);
        }
        let name = "manifests".to_owned();
        let label = label(name.clone(), name.clone(), name, surroundings);
        Ok(Self {
            objects,
            snapshot: snapshot(&state, label),
            problems,
        })
    }

    /// Facts of a cluster: what of them could not be had is a problem.
    fn of_snapshot(snapshot: Snapshot) -> Self {
        let problems = snapshot
            .facts
            .iter()
            .filter(|(kind, facts)| {
                Objects::KINDS.contains(&kind.as_str())
                    && !matches!(
                        facts.status,
                        CollectionStatus::Ok | CollectionStatus::Absent
                    )
            })
            .map(|(kind, facts)| {
                let why = facts.detail.clone().unwrap_or_default();
                Problem::new(ProblemCode::FileUnreadable, kind.to_string(), why)
            });
        Self {
            objects: Objects::of_documents(&Documents::default()),
            problems: problems.collect(),
            snapshot,
        }
    }
}

fn label(id: String, name: String, source: String, surroundings: &Surroundings) -> Label {
    Label {
        asset_id: id,
        asset_name: name,
        collected_at: surroundings.now(),
        collector: concat!("seareeve ", env!("CARGO_PKG_VERSION")).to_owned(),
        source,
    }
}

/// The cluster that the user means: by flags, by the usual files, or the one that this runs in.
fn connection(args: &Wanted<'_>, surroundings: &Surroundings) -> anyhow::Result<Connection> {
    let files = match args.kubeconfig {
        Some(file) => vec![file.clone()],
        None => surroundings.kubeconfig.clone(),
    };
    let is_there = |file: &Utf8PathBuf| file.exists();
    if args.context.is_none()
        && args.kubeconfig.is_none()
        && !files.iter().any(is_there)
        && let Some(InCluster { host, port }) = &surroundings.in_cluster
    {
        let folder = Utf8Path::new("/var/run/secrets/kubernetes.io/serviceaccount");
        return Ok(Connection::in_cluster(folder, host, *port)?);
    }
    Connection::from_kubeconfig(&files, args.context)
        .context("there is no cluster to read: give manifests with -f, or a kubeconfig")
}
