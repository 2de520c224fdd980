//! What a server is asked and told about admission. Lists for people are lines, all else is JSON.

use std::fmt::Write as _;

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_api::{AdmissionGate, AdmissionPreviewRequest, Client, NewAdmissionPolicy};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::args::{Format, ServerAdmissionCommand};
use crate::{input, output};

/// Bytes of a policy at most.
const MOST_POLICY: usize = 1 << 20;

pub(super) fn run(
    client: &Client,
    command: &ServerAdmissionCommand,
    now: Timestamp,
) -> anyhow::Result<()> {
    match command {
        ServerAdmissionCommand::Policy { cluster } => {
            printed(&client.admission_policy(cluster.as_deref().unwrap_or_default())?)
        }
        ServerAdmissionCommand::SetPolicy { file, cluster } => {
            let policy = NewAdmissionPolicy {
                cluster: cluster.clone(),
                policy: read(file)?,
                replaces: None,
            };
            printed(&client.put_admission_policy(&policy)?)
        }
        ServerAdmissionCommand::SetMode {
            recommendation,
            mode,
            namespace,
            cluster,
        } => {
            let before = client.admission_policy(cluster.as_deref().unwrap_or_default())?;
            let mut policy = before.policy;
            set(&mut policy, recommendation, namespace.as_deref(), mode);
            let policy = NewAdmissionPolicy {
                cluster: cluster.clone(),
                policy,
                replaces: Some(before.digest),
            };
            client.put_admission_policy(&policy)?;
            Ok(())
        }
        ServerAdmissionCommand::Rules { cluster } => rules(client, cluster.as_deref()),
        ServerAdmissionCommand::Decisions {
            cluster,
            format: Format::Json,
        } => printed(&client.admission_activity(cluster.as_deref())?),
        ServerAdmissionCommand::Decisions { cluster, .. } => {
            decisions(client, cluster.as_deref(), now)
        }
        ServerAdmissionCommand::Preview { id, policy } => {
            let request = AdmissionPreviewRequest {
                asset: *id,
                policy: policy.as_ref().map(|file| read(file)).transpose()?,
            };
            printed(&client.preview_admission(&request)?)
        }
    }
}

fn printed(value: &impl Serialize) -> anyhow::Result<()> {
    output::result(None, &output::json::text(value)?)
}

fn read(file: &camino::Utf8Path) -> anyhow::Result<Map<String, Value>> {
    let bytes = input::file("policy", file, MOST_POLICY)?;
    let value = seareeve_kubernetes::value(&bytes)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("failed to use {file}"))?;
    match value {
        Value::Object(policy) => Ok(policy),
        _ => anyhow::bail!("{file} is no policy"),
    }
}

/// Sets one mode in a policy.
fn set(policy: &mut Map<String, Value>, recommendation: &str, namespace: Option<&str>, mode: &str) {
    let mut place = policy;
    let mut path = vec!["recommendations", recommendation];
    let name = match namespace {
        Some(namespace) => {
            path.push("namespaces");
            namespace
        }
        None => "mode",
    };
    for part in path {
        let next = place.entry(part).or_insert_with(|| json!({}));
        if !next.is_object() {
            *next = json!({});
        }
        let Some(map) = next.as_object_mut() else {
            return;
        };
        place = map;
    }
    place.insert(name.to_owned(), mode.into());
}

fn rules(client: &Client, cluster: Option<&str>) -> anyhow::Result<()> {
    let policy = client.admission_policy(cluster.unwrap_or_default())?.policy;
    let mut text = String::new();
    for rule in client.admission_rules()?.rules {
        let own = policy
            .get("recommendations")
            .and_then(|rules| rules.get(&rule.id));
        let mode = own.and_then(|own| own.get("mode")).and_then(Value::as_str);
        let mode = mode.unwrap_or("as the policy");
        let namespaces = own
            .and_then(|own| own.get("namespaces"))
            .and_then(Value::as_object);
        let namespaces: Vec<String> = namespaces
            .into_iter()
            .flatten()
            .map(|(name, mode)| format!("{name}: {}", mode.as_str().unwrap_or_default()))
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<32} {:<14} {}  {}",
            rule.id,
            mode,
            rule.title,
            output::safe(&namespaces.join(", "))
        );
    }
    output::result(None, &text)
}

/// What stands against a webhook's being asked: without it, its cluster lets everything in.
fn troubles(gate: &AdmissionGate, now: Timestamp) -> Vec<String> {
    let mut troubles = Vec::new();
    if gate.away {
        troubles.push(
            "no webhook of the cluster was heard of for minutes: if none answers, it lets everything in"
                .to_owned(),
        );
    }
    let Some(certificate) = &gate.certificate else {
        return troubles;
    };
    let has_come = |time: Option<Timestamp>| time.is_some_and(|time| time <= now);
    let ends = |until| if until <= now { "ended" } else { "ends" };
    if let Some(until) = certificate.until
        && (has_come(Some(until)) || has_come(certificate.late_from))
    {
        let ends = ends(until);
        troubles.push(format!(
            "its certificate {ends} {until}, and was not renewed"
        ));
    }
    if let Some(until) = certificate.authority_until
        && has_come(certificate.authority_late_from)
    {
        let ends = ends(until);
        troubles.push(format!(
            "its authority {ends} {until}: if the API server was not told of the next one by then (register again), \
             the cluster lets everything in"
        ));
    }
    let refusals = certificate.refusals.iter().map(|one| {
        format!(
            "{} refused its certificate at {} ({}): if that is the API server, register again",
            one.by, one.at, one.why
        )
    });
    troubles.extend(refusals);
    troubles.extend(certificate.problem.clone());
    troubles
}

fn decisions(client: &Client, cluster: Option<&str>, now: Timestamp) -> anyhow::Result<()> {
    let activity = client.admission_activity(cluster)?;
    let mut text = String::new();
    for gate in activity.gates {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            "{} {} {}: {} reviews, last seen {}",
            output::safe(&gate.cluster),
            output::safe(&gate.name),
            output::safe(&gate.version),
            gate.reviews,
            gate.last_seen
        );
        for trouble in troubles(&gate, now) {
            let _ = writeln!(text, "  {}", output::safe(&trouble));
        }
    }
    for total in activity.counts {
        let counted = total.counted;
        let _ = writeln!(
            text,
            "{:>7} {:<9} {:<32} {}/{}",
            counted.count,
            counted.effect,
            output::safe(&counted.recommendation),
            output::safe(&total.cluster),
            output::safe(&counted.namespace)
        );
    }
    for event in activity.samples {
        let sample = event.sample;
        let _ = writeln!(
            text,
            "{} {} {} {}/{} by {}: {}: {}",
            sample.at,
            sample.effect,
            output::safe(&sample.kind),
            output::safe(&sample.namespace),
            output::safe(&sample.name),
            output::safe(&sample.user),
            output::safe(&sample.recommendation),
            output::safe(&sample.message)
        );
    }
    output::result(None, &text)
}
