//! What a server is asked about clusters. Lists for people are lines, all else is JSON.

use std::fmt::Write as _;

use anyhow::Context as _;
use camino::Utf8Path;
use seareeve_api::{Client, NewRecommendationSettings, WorkloadFilter};
use serde::Serialize;

use crate::args::ClustersCommand;
use crate::{input, output};

/// Bytes of a file of settings at most.
const MOST_SETTINGS: usize = 1 << 20;

pub(super) fn run(client: &Client, command: &ClustersCommand) -> anyhow::Result<()> {
    match command {
        ClustersCommand::Clusters => list(client),
        ClustersCommand::Cluster { id } => json(&client.cluster(*id)?),
        ClustersCommand::ReportCluster { id, benchmark } => {
            json(&client.cluster_report(*id, benchmark.as_deref())?)
        }
        ClustersCommand::ClusterHistory { id } => json(&client.cluster_history(*id)?),
        ClustersCommand::ClusterRecommendation { id, recommendation } => {
            json(&client.cluster_recommendation(*id, recommendation)?)
        }
        ClustersCommand::Workloads {
            id,
            namespace,
            kind,
            check,
            query,
        } => {
            let filter = WorkloadFilter {
                namespace: namespace.clone(),
                kind: kind.clone(),
                check: check.clone(),
                query: query.clone(),
            };
            workloads(client, *id, &filter)
        }
        ClustersCommand::Workload { id, workload } => json(&client.workload(*id, workload)?),
        ClustersCommand::ClusterCloud {
            id, found: true, ..
        } => Ok(client.unchoose_cloud(*id)?),
        ClustersCommand::ClusterCloud { id, asset, .. } => Ok(client.choose_cloud(*id, *asset)?),
        ClustersCommand::DeleteCluster { id } => Ok(client.delete_cluster(*id)?),
        ClustersCommand::RecommendationSettings {
            recommendation,
            set,
            preview,
            reset,
            history,
        } => match (set, reset, history) {
            (Some(file), _, _) if *preview => {
                json(&client.preview_recommendation(recommendation, &settings(file)?)?)
            }
            (Some(file), _, _) => {
                json(&client.set_recommendation(recommendation, &settings(file)?)?)
            }
            (None, true, _) => Ok(client.reset_recommendation(recommendation)?),
            (None, _, true) => json(&client.recommendation_settings_history(recommendation)?),
            (None, false, false) => json(&client.recommendation_settings(recommendation)?),
        },
    }
}

fn settings(file: &Utf8Path) -> anyhow::Result<NewRecommendationSettings> {
    let text = input::file_or_stdin("settings", file, MOST_SETTINGS)?;
    serde_json::from_slice(&text).with_context(|| format!("failed to understand {file}"))
}

fn json(value: &impl Serialize) -> anyhow::Result<()> {
    output::result(None, &output::json::text(value)?)
}

fn list(client: &Client) -> anyhow::Result<()> {
    let mut next = None;
    loop {
        let page = client.clusters(next.as_deref())?;
        let mut text = String::new();
        for cluster in page.clusters {
            let failed = cluster.failed;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}  {}  {}  C{} H{} M{} L{}  {}  {}",
                cluster.id,
                cluster.state,
                cluster.watch.state,
                failed.critical,
                failed.high,
                failed.medium,
                failed.low,
                output::safe(&cluster.name),
                output::safe(cluster.version.as_deref().unwrap_or("-")),
            );
        }
        output::result(None, &text)?;
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

fn workloads(client: &Client, cluster: i64, filter: &WorkloadFilter) -> anyhow::Result<()> {
    let mut next: Option<String> = None;
    loop {
        let page = client.workloads(cluster, filter, next.as_deref())?;
        let mut text = String::new();
        for workload in page.workloads {
            let failed = workload.failed;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}  C{} H{} M{} L{}",
                output::safe(&workload.id),
                failed.critical,
                failed.high,
                failed.medium,
                failed.low,
            );
        }
        output::result(None, &text)?;
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}
