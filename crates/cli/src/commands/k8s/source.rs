//! Where objects come from: manifests, a cluster, or facts that were saved.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_collect::docker_host;
use seareeve_collect::kubernetes::{Cluster, Connection, Limits, manifests};
use seareeve_kubernetes::{Documents, Gap, Kind, Label, Resource, State, join, snapshot};
use seareeve_model::{CollectionStatus, Problem, ProblemCode, Snapshot};

use super::objects::Objects;
use crate::args::K8sArgs;
use crate::commands::docker::saved;
use crate::output::Messages;
use crate::surroundings::{InCluster, Surroundings};

/// What was read.
pub(crate) struct Source {
    pub(super) objects: Objects,
    pub(crate) snapshot: Snapshot,
    pub(crate) problems: Vec<Problem>,
}

/// What to read: manifests before facts, and a cluster where neither is given.
pub(crate) struct Wanted<'a> {
    pub(crate) facts: Option<&'a Utf8Path>,
    pub(crate) file: &'a [Utf8PathBuf],
    pub(crate) kubeconfig: Option<&'a Utf8Path>,
    pub(crate) context: Option<&'a str>,
    /// What nodes of the cluster told.
    pub(crate) nodes: Vec<Snapshot>,
}

impl Source {
    pub(crate) fn read(
        wanted: Wanted<'_>,
        surroundings: &Surroundings,
        messages: &Messages,
    ) -> anyhow::Result<Self> {
        let Wanted {
            facts,
            file,
            kubeconfig,
            context,
            nodes,
        } = wanted;
        if !file.is_empty() {
            return Self::of_manifests(file, surroundings);
        }
        let reached = || connection(kubeconfig, context, surroundings);
        let cluster = match facts {
            Some(file) => saved(file)?,
            None => match (reached(), nodes.as_slice()) {
                (Ok(connection), _) => of_cluster(connection, surroundings, messages)?,
                // A node can be looked at without its cluster.
                (Err(_), [node]) if context.is_none() && kubeconfig.is_none() => {
                    messages.note("there is no cluster to read: the node is judged alone");
                    return Ok(Self::of_snapshot(node.clone()));
                }
                (Err(error), _) => return Err(error),
            },
        };
        Ok(Self::joined(cluster, &nodes, messages))
    }

    /// A cluster with what its nodes told. A machine that is none of its nodes is a problem.
    fn joined(mut cluster: Snapshot, nodes: &[Snapshot], messages: &Messages) -> Self {
        let joined = join(&mut cluster, nodes);
        for node in &joined.nodes {
            messages.note(format!("joined what {node} told"));
        }
        let mut source = Self::of_snapshot(cluster);
        let strangers = joined.strangers.into_iter().map(|(name, why)| {
            let why = format!("its facts were left out: {why}");
            Problem::new(ProblemCode::FileUnreadable, name, why)
        });
        source.problems.extend(strangers);
        source
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
        let problems: Vec<Problem> = documents.troubles.into_iter().map(Problem::from).collect();
        for object in documents.objects {
            state.add(object);
        }
        if !problems.is_empty() {
            // Whatever they were: facts that are kept, and benchmarks, must not look whole either.
            let gap = Gap {
                status: CollectionStatus::Error,
                detail: format!("of the documents {} could not be read", problems.len()),
            };
            for resource in Resource::ALL {
                state.set_gap(resource, Some(gap.clone()));
            }
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

fn of_cluster(
    connection: Connection,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Snapshot> {
    messages.note(format!("reading the cluster {}", connection.name));
    let cluster = Cluster::new(&connection, Limits::default())?;
    let state = cluster
        .read()
        .with_context(|| format!("failed to read the cluster {}", connection.name))?;
    let id = state.uid().unwrap_or_else(|| connection.server.clone());
    let label = label(id, connection.name, connection.server, surroundings);
    Ok(snapshot(&state, label))
}

/// What nodes tell: this one, and those that told it before.
pub(super) fn nodes(args: &K8sArgs, surroundings: &Surroundings) -> anyhow::Result<Vec<Snapshot>> {
    let mut nodes = Vec::new();
    if args.node {
        let options = docker_host::Options {
            root: Some(args.root.clone()),
            node: docker_host::NodeOptions {
                name: args.node_name.clone(),
                cluster_uid: None,
            },
            ..docker_host::Options::here(surroundings.now())
        };
        let node = seareeve_collect::kubernetes::node(&options);
        nodes.push(node.context(
            "this machine is no node of a cluster: no component of Kubernetes runs on it",
        )?);
    }
    for file in &args.node_facts {
        nodes.push(saved(file)?);
    }
    Ok(nodes)
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
pub(crate) fn connection(
    kubeconfig: Option<&Utf8Path>,
    context: Option<&str>,
    surroundings: &Surroundings,
) -> anyhow::Result<Connection> {
    let files = match kubeconfig {
        Some(file) => vec![file.to_owned()],
        None => surroundings.kubeconfig.clone(),
    };
    let is_there = |file: &Utf8PathBuf| file.exists();
    if context.is_none()
        && kubeconfig.is_none()
        && !files.iter().any(is_there)
        && let Some(InCluster { host, port }) = &surroundings.in_cluster
    {
        let folder = Utf8Path::new("/var/run/secrets/kubernetes.io/serviceaccount");
        return Ok(Connection::in_cluster(folder, host, *port)?);
    }
    Connection::from_kubeconfig(&files, context)
        .context("there is no cluster to read: give manifests with -f, or a kubeconfig")
}
