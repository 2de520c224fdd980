//! `seareeve k8s audit-setup`: what an API server needs so that its audit events can be judged, and what a policy lacks.

use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use seareeve_api::{AuditCluster, AuditSourceSettings, Client, ClientError, NewAuditCluster};
use seareeve_audit::{AuditSource, Policy, coverage, policy_for};
use seareeve_detect::{Content, Engine, Loader, Options};

use crate::args::AuditSetupArgs;
use crate::commands::{Outcome, server};
use crate::input;
use crate::output::{self, Messages};

/// Bytes of an audit policy at most.
const MOST_POLICY: usize = 1 << 20;
const POLICY: &str = "audit-policy.yaml";
const WEBHOOK: &str = "audit-webhook.yaml";

pub(super) fn run(args: &AuditSetupArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let engine = detections()?;
    match &args.check {
        Some(file) => check(&engine, file),
        None => set_up(&engine, args, messages),
    }
}

/// The built-in detections.
fn detections() -> anyhow::Result<Engine> {
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
    loader.content(&Content::builtin());
    let loaded = loader.finish();
    if let Some(wrong) = loaded.diagnostics.iter().find(|one| one.code.is_error()) {
        bail!("a built-in detection cannot be used: {wrong}");
    }
    Ok(loaded.engine)
}

/// Says which detections are blind under a policy.
fn check(engine: &Engine, file: &Utf8Path) -> anyhow::Result<Outcome> {
    let bytes = input::file("audit policy", file, MOST_POLICY)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
    let policy = Policy::parse(&text).with_context(|| format!("failed to read {file}"))?;
    let blind = coverage(&policy, engine.rules());
    let mut text = String::new();
    // Writing to a String cannot fail.
    for found in &blind {
        let how = if found.is_whole {
            "blind"
        } else {
            "partly blind"
        };
        let title = engine.rule(&found.id).map_or("", |rule| rule.name.as_str());
        let _ = writeln!(text, "{} ({title}): {how}", found.id);
        for reason in &found.reasons {
            let _ = writeln!(text, "  {}", output::safe(reason));
        }
    }
    if blind.is_empty() {
        text.push_str("All detections see what they need.\n");
    }
    output::result(None, &text)?;
    Ok(if blind.is_empty() {
        Outcome::Done
    } else {
        Outcome::Incomplete
    })
}

/// Writes the files and says how to use them.
fn set_up(engine: &Engine, args: &AuditSetupArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
    let policy = folder.join(POLICY);
    let text = policy_for(engine.rules());
    write(&policy, &text, 0o644)?;
    let parsed = Policy::parse(&text).context("our own policy cannot be read")?;
    let blind = coverage(&parsed, engine.rules());
    let blind: Vec<&str> = blind.iter().map(|found| found.id.as_str()).collect();
    let mut flags = format!("--audit-policy-file=/etc/kubernetes/{POLICY}\n");
    match &args.cluster {
        Some(cluster) => {
            let client = server::client(&args.server)?;
            make_known(&client, cluster)?;
            let known = client.audit_cluster(cluster)?;
            let webhook = server::webhook(&client, cluster)?;
            let file = folder.join(WEBHOOK);
            write(&file, &webhook.kubeconfig, 0o600)?;
            messages.note(format!("wrote {policy} and {file}, which holds a token"));
            for note in left_to_do(&known, &webhook.kubeconfig) {
                messages.note(note);
            }
            // Batches that wait for long are what makes alerts late.
            let _ = write!(
                flags,
                "--audit-webhook-config-file=/etc/kubernetes/{WEBHOOK}\n--audit-webhook-mode=batch\n\
                 --audit-webhook-batch-max-wait=1s\n--audit-webhook-batch-max-size=200\n\
                 --audit-webhook-initial-backoff=2s\n"
            );
        }
        None => {
            messages.note(format!(
                "wrote {policy}; name the cluster (--cluster) for the webhook's file"
            ));
            flags.push_str(
                "--audit-log-path=/var/log/kubernetes/audit.log\n--audit-log-maxsize=100\n\
                 --audit-log-maxbackup=5\n",
            );
        }
    }
    if !blind.is_empty() {
        messages.note(format!(
            "the policy leaves out what is in secrets; blind for that, on purpose: {}",
            blind.join(", ")
        ));
    }
    messages.note("put the files into /etc/kubernetes on each control plane node, mount them into the API server's pod, and add these flags:");
    output::result(None, &flags)?;
    Ok(Outcome::Done)
}

/// Makes the cluster known, if it is not.
fn make_known(client: &Client, cluster: &str) -> anyhow::Result<()> {
    let made = client.create_audit_cluster(&NewAuditCluster {
        name: cluster.to_owned(),
        cluster: None,
    });
    match made {
        Ok(_) => Ok(()),
        Err(ClientError::Refused { status: 409, .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What somebody still has to do, with the file of a new webhook; `before` is what the cluster was like before it.
fn left_to_do(before: &AuditCluster, kubeconfig: &str) -> Vec<String> {
    let name = &before.name;
    let mut notes = Vec::new();
    let comments = kubeconfig.lines();
    let comments: Vec<&str> = comments
        .filter_map(|line| line.strip_prefix("# "))
        .collect();
    if !comments.is_empty() {
        notes.push(format!("in {WEBHOOK}: {}", comments.join(" ")));
    }
    let sources = before.sources.iter();
    let webhooks = sources.filter(|source| source.settings == AuditSourceSettings::Webhook);
    let end = |id| format!("`seareeve server audit delete-source {name} {id}`");
    let webhooks: Vec<String> = webhooks.map(|source| end(source.id)).collect();
    if !webhooks.is_empty() {
        notes.push(format!(
            "{name} had webhooks before, whose tokens stay good: once the new file is in use, end them with {}",
            webhooks.join(" and ")
        ));
    }
    if before.on_since.is_none() {
        notes.push(format!(
            "{name} is off, and raises no alerts: `seareeve server audit on {name}` says what it takes"
        ));
    }
    notes
}

fn write(path: &Utf8Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.with_context(|| format!("failed to write {path}"))
}
