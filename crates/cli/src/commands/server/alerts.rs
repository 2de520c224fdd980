//! What a server is asked about alerts, and what people tell it of them. Lists for people are lines, all else is JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use seareeve_api::{
    AlertChange, AuditCluster, AuditCoverage, AuditJoin, AuditPlan, AuditSourceSettings,
    BrokenEvents, Client, DetectionCoverage, IncidentChange, NewAuditCluster, NewSuppressionRule,
    SuppressionCriterion,
};
use serde::Serialize;

use super::intel;
use crate::args::{
    AlertCommand, AlertListArgs, AlertsCommand, AuditCommand, IncidentCommand, SuppressionArgs,
    SuppressionCommand,
};
use crate::input;
use crate::output;

/// Bytes of an audit policy at most.
const MOST_POLICY: usize = 1 << 20;

pub(super) fn run(client: &Client, command: &AlertsCommand) -> anyhow::Result<()> {
    match command {
        AlertsCommand::Alerts(command) => alerts(client, command),
        AlertsCommand::Incidents(command) => incidents(client, command),
        AlertsCommand::Suppressions(command) => suppressions(client, command),
        AlertsCommand::Audit(command) => audit(client, command),
        AlertsCommand::Intel(command) => intel::run(client, command),
    }
}

fn json(value: &impl Serialize) -> anyhow::Result<()> {
    output::result(None, &output::json::text(value)?)
}

fn alerts(client: &Client, command: &AlertCommand) -> anyhow::Result<()> {
    match command {
        AlertCommand::List(args) => list(client, args),
        AlertCommand::Show { id } => json(&client.alert(id)?),
        AlertCommand::Related { id, minutes } => json(&client.related_requests(id, *minutes)?),
        AlertCommand::Change { ids, change } => json(&client.change_alerts(&AlertChange {
            ids: ids.clone(),
            state: change.state.clone(),
            owner: change.owner.clone(),
            note: change.note.clone(),
        })?),
        AlertCommand::Samples => json(&client.create_sample_alerts()?),
    }
}

fn list(client: &Client, args: &AlertListArgs) -> anyhow::Result<()> {
    let conditions = [
        ("state", Some(args.state.as_str())),
        ("severity", args.severity.as_deref()),
        ("cluster", args.cluster.as_deref()),
        ("rule", args.rule.as_deref()),
        ("entity", args.entity.as_deref()),
    ];
    let conditions: Vec<(&str, &str)> = conditions
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let mut next = None;
    loop {
        let page = client.alerts(&conditions, next.as_deref())?;
        let mut text = String::new();
        for alert in page.alerts {
            // Writing to a String cannot fail.
            if args.json {
                let _ = writeln!(text, "{}", serde_json::to_string(&alert)?);
                continue;
            }
            let sample = if alert.is_sample { "  (sample)" } else { "" };
            let _ = writeln!(
                text,
                "{}  {}  {:13}  {:11}  {}x  {}  {}  {}{sample}",
                alert.id,
                alert.last_seen,
                alert.severity,
                alert.state,
                alert.seen,
                output::safe(&alert.cluster),
                output::safe(&alert.title),
                output::safe(&alert.compromised_entity),
            );
        }
        output::result(None, &text)?;
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

fn incidents(client: &Client, command: &IncidentCommand) -> anyhow::Result<()> {
    match command {
        IncidentCommand::List { all } => {
            let mut next = None;
            loop {
                let page = client.incidents(!all, next.as_deref())?;
                let mut text = String::new();
                for incident in page.incidents {
                    // Writing to a String cannot fail.
                    let _ = writeln!(
                        text,
                        "{}  {}  {:13}  {:11}  {} alerts  {}",
                        incident.id,
                        incident.last_seen,
                        incident.severity,
                        incident.state,
                        incident.alerts,
                        output::safe(&incident.title),
                    );
                }
                output::result(None, &text)?;
                next = page.next;
                if next.is_none() {
                    return Ok(());
                }
            }
        }
        IncidentCommand::Show { id } => json(&client.incident(id)?),
        IncidentCommand::Change { id, change } => json(&client.change_incident(
            id,
            &IncidentChange {
                state: change.state.clone(),
                owner: change.owner.clone(),
                note: change.note.clone(),
            },
        )?),
    }
}

fn suppressions(client: &Client, command: &SuppressionCommand) -> anyhow::Result<()> {
    match command {
        SuppressionCommand::List => json(&client.suppressions()?),
        SuppressionCommand::Create(args) => {
            let rule = suppression(args)?;
            if args.trial {
                json(&client.try_suppression(&rule)?)
            } else {
                json(&client.create_suppression(&rule)?)
            }
        }
        SuppressionCommand::Delete { id } => Ok(client.delete_suppression(*id)?),
    }
}

fn suppression(args: &SuppressionArgs) -> anyhow::Result<NewSuppressionRule> {
    let mut criteria: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for criterion in &args.criteria {
        let (kind, name) = criterion
            .split_once('=')
            .with_context(|| format!("{criterion:?} is not KIND=NAME, such as pod=shop/web-*"))?;
        criteria.entry(kind).or_default().push(name.to_owned());
    }
    Ok(NewSuppressionRule {
        name: args.name.clone(),
        is_on: true,
        rule: args.rule.clone(),
        criteria: criteria
            .into_iter()
            .map(|(kind, names)| SuppressionCriterion {
                kind: kind.to_owned(),
                names,
            })
            .collect(),
        reason: args.reason.clone(),
        comment: args.comment.clone(),
        expires: args.until,
    })
}

fn audit(client: &Client, command: &AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::List => clusters(client),
        AuditCommand::Show { cluster } => json(&client.audit_cluster(cluster)?),
        AuditCommand::Add { cluster, same } => {
            json(&client.create_audit_cluster(&NewAuditCluster {
                name: cluster.clone(),
                cluster: *same,
            })?)
        }
        AuditCommand::Join {
            cluster,
            same,
            none,
        } => {
            let join = match (same, none) {
                (Some(id), _) => AuditJoin::Cluster { id: *id },
                (None, true) => AuditJoin::None,
                (None, false) => AuditJoin::FoundOut,
            };
            json(&client.join_audit_cluster(cluster, &join)?)
        }
        AuditCommand::On {
            cluster,
            consent: false,
        } => {
            let warning = client.audit_clusters()?.warning;
            bail!("{warning}\nSay `server audit on {cluster} --consent` to consent to it.")
        }
        AuditCommand::On { cluster, .. } => json(&client.set_audit_plan(
            cluster,
            &AuditPlan {
                is_on: true,
                consent: true,
            },
        )?),
        AuditCommand::Off { cluster } => json(&client.set_audit_plan(
            cluster,
            &AuditPlan {
                is_on: false,
                consent: false,
            },
        )?),
        AuditCommand::Delete { cluster } => Ok(client.delete_audit_cluster(cluster)?),
        AuditCommand::Coverage { cluster } => covered(&client.audit_coverage(cluster)?),
        AuditCommand::Policy {
            cluster,
            file: _,
            delete: true,
        } => Ok(client.delete_audit_policy(cluster)?),
        AuditCommand::Policy {
            cluster,
            file: Some(file),
            delete: false,
        } => {
            let text = input::file("audit policy", file, MOST_POLICY)?;
            let text = String::from_utf8(text).with_context(|| format!("{file} is not UTF-8"))?;
            client.put_audit_policy(cluster, &text)?;
            covered(&client.audit_coverage(cluster)?)
        }
        AuditCommand::Policy { cluster, .. } => {
            output::result(None, &client.audit_policy(cluster)?.content)
        }
        AuditCommand::Webhook { cluster } => {
            output::result(None, &webhook(client, cluster)?.kubeconfig)
        }
        AuditCommand::File {
            cluster,
            path,
            from_start,
        } => source(
            client,
            cluster,
            &AuditSourceSettings::File {
                path: path.clone(),
                from_start: *from_start,
            },
        ),
        AuditCommand::Kafka(args) => source(
            client,
            &args.cluster,
            &AuditSourceSettings::Kafka {
                brokers: args.brokers.clone(),
                topic: args.topic.clone(),
                tls: !args.plain,
                username: args.username.clone(),
                mechanism: args.mechanism.clone(),
                ca_file: args.ca_file.clone(),
                password_file: args.password_file.clone(),
                from_start: args.from_start,
            },
        ),
        AuditCommand::DeleteSource { cluster, id } => Ok(client.delete_audit_source(cluster, *id)?),
    }
}

fn source(client: &Client, cluster: &str, settings: &AuditSourceSettings) -> anyhow::Result<()> {
    json(&client.create_audit_source(cluster, settings)?.source)
}

/// A webhook of a cluster, with its token.
pub(crate) fn webhook(
    client: &Client,
    cluster: &str,
) -> anyhow::Result<seareeve_api::AuditWebhook> {
    let created = client.create_audit_source(cluster, &AuditSourceSettings::Webhook)?;
    created
        .webhook
        .context("the server made a webhook without a token")
}

/// What detections lack, those that lack most first, and of how many nothing is known.
fn covered(coverage: &AuditCoverage) -> anyhow::Result<()> {
    let mut text = String::new();
    let with = |status: &str| {
        let detections = coverage.detections.iter();
        let found = detections.filter(|one| one.status == status);
        found.collect::<Vec<&DetectionCoverage>>()
    };
    let (blind, partial) = (with("blind"), with("partial"));
    // Writing to a String cannot fail.
    for (words, detections) in [("blind", &blind), ("partly blind", &partial)] {
        for one in detections {
            let title = output::safe(&one.title);
            let _ = writeln!(text, "{} ({title}): {words}", output::safe(&one.rule));
            for reason in &one.reasons {
                let _ = writeln!(text, "  {}", output::safe(reason));
            }
        }
    }
    let by = match coverage.has_policy {
        true => " and the policy that was given",
        false => "",
    };
    let _ = writeln!(
        text,
        "By {} events{by}: {} detections see what they need, {} are partly blind, {} are blind, and of {} nothing shows it.",
        coverage.events,
        with("sees").len(),
        partial.len(),
        blind.len(),
        with("unknown").len(),
    );
    output::result(None, &text)
}

/// What became of events that were not judged.
fn not_judged(cluster: &AuditCluster) -> Vec<String> {
    let mut lines = Vec::new();
    if cluster.broken_events > 0 {
        let kinds = cluster.broken.iter().map(|broken| {
            let BrokenEvents { kind, events, last } = broken;
            format!("{events} {} (last at {last})", output::safe(kind))
        });
        let kinds: Vec<String> = kinds.collect();
        let broken = cluster.broken_events;
        lines.push(format!("{broken} not read as events: {}", kinds.join(", ")));
    }
    if cluster.early_events > 0 {
        let early = cluster.early_events;
        lines.push(format!("{early} from before it was on, left alone"));
    }
    if cluster.repeated_events > 0 {
        let repeated = cluster.repeated_events;
        lines.push(format!("{repeated} came again, and count once"));
    }
    if cluster.backlog_bytes > 0 {
        lines.push(format!("{} bytes wait to be judged", cluster.backlog_bytes));
    }
    lines
}

fn clusters(client: &Client) -> anyhow::Result<()> {
    let mut text = String::new();
    for cluster in client.audit_clusters()?.clusters {
        let AuditCluster { name, on_since, .. } = &cluster;
        let state = match on_since {
            Some(since) => format!("on since {since}"),
            None => "off".to_owned(),
        };
        let last = match cluster.last_event {
            Some(at) => format!("last event {at}"),
            None => "no event yet".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}  {state}  {} events  {last}", cluster.events);
        if let Some(problem) = &cluster.problem {
            let at = cluster.problem_at.map(|at| format!(" at {at}"));
            let at = at.unwrap_or_default();
            let _ = writeln!(text, "  problem{at}: {}", output::safe(problem));
        }
        for line in not_judged(&cluster) {
            let _ = writeln!(text, "  {line}");
        }
        for source in &cluster.sources {
            let heard = match (&source.problem, source.received) {
                (Some(problem), _) => output::safe(problem),
                (None, Some(at)) => format!("heard of at {at}"),
                (None, None) => "not heard of yet".to_owned(),
            };
            let _ = writeln!(text, "  {}  {}  {heard}", source.id, source.settings.kind());
        }
    }
    output::result(None, &text)
}
