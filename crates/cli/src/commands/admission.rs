//! `seareeve admission`: the webhook, and what a policy would do.

mod preview;

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use jiff::Timestamp;
use seareeve_admission::{Policy, PolicyFile, Reach, Webhook as Registered, configuration, export};
use seareeve_api::Client;
use seareeve_posture::{Catalogue, Library};
use seareeve_server::config::Config;
use seareeve_webhook::{Options, Source, Tls, Webhook};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{
    AdmissionArgs, AdmissionCommand, ExportArgs, ExportFormat, RegisterArgs, ServeArgs,
};
use crate::commands::Outcome;
use crate::commands::joining::Joining;
use crate::ending::Ending;
use crate::input;
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

/// The file of the webhook's own token, in its data folder.
const TOKEN_FILE: &str = "admission-token";
/// Bytes of a policy at most.
const MOST_POLICY: usize = 1 << 20;

pub(crate) fn run(
    args: &AdmissionArgs,
    config: &Config,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    match &args.command {
        None => serve(&args.serve, config, messages),
        Some(AdmissionCommand::Preview(args)) => preview::run(args, surroundings, messages),
        Some(AdmissionCommand::Export(args)) => write(args, messages),
        Some(AdmissionCommand::Register(args)) => register(args, config),
    }
}

fn serve(args: &ServeArgs, config: &Config, messages: &Messages) -> anyhow::Result<Outcome> {
    let ending = Ending::at_once().context("failed to hear signals")?;
    let server = match &args.server {
        Some(address) => Some(client(args, address, config, messages)?),
        None => None,
    };
    let policy = match (&args.policy, &server) {
        (Some(file), _) => Source::File(file.clone()),
        (None, Some(_)) => Source::Server,
        (None, None) => bail!(
            "there is no policy: give a file with --policy, or a server that has one with --server"
        ),
    };
    seareeve_server::make_private_folder(&config.server.data_dir)?;
    let options = Options {
        listen: args.listen,
        tls: tls(&args.tls),
        policy,
        server,
        cluster: args.cluster.clone(),
        name: args.name.clone(),
        folder: config.server.data_dir.clone(),
        clock: Arc::new(Timestamp::now),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let ended = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        drop(ending);
        let webhook = Webhook::start(options).await?;
        // A result, not a message: scripts read it.
        output::result(
            None,
            &format!(
                "Seareeve answers at https://{}/validate\n",
                webhook.address()
            ),
        )?;
        webhook
            .run_until(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            })
            .await
    });
    runtime.shutdown_background();
    ended?;
    messages.note("stopped");
    Ok(Outcome::Done)
}

/// A client with the token that is given, or that joining gave.
fn client(
    args: &ServeArgs,
    address: &str,
    config: &Config,
    messages: &Messages,
) -> anyhow::Result<Client> {
    let joining = Joining {
        who: "this webhook".to_owned(),
        server: address.to_owned(),
        authority: args.server_authority.clone(),
        token: None,
        token_file: args.join_file.clone(),
        folder: config.server.data_dir.clone(),
        file: TOKEN_FILE,
        is_patient: true,
    };
    let joins = args.join_file.is_some() || joining.has_joined();
    if args.token_file.is_none() && joins {
        let name = || format!("admission webhook of {}", args.cluster);
        return joining.client(name, messages);
    }
    joining.client_with(&token(args)?)
}

fn token(args: &ServeArgs) -> anyhow::Result<String> {
    if let Some(file) = &args.token_file {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {file}"))?;
        return Ok(text.trim().to_owned());
    }
    let Ok(token) = std::env::var("SEAREEVE_TOKEN") else {
        bail!(
            "SEAREEVE_TOKEN is not set: make an API token in the UI under Settings and put it there, or into a file \
             for --token-file; or make a join token under Clusters, for --join-file"
        );
    };
    Ok(token.trim().to_owned())
}

fn tls(args: &crate::args::TlsArgs) -> Tls {
    match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Tls::Files {
            certificate: certificate.clone(),
            key: key.clone(),
            authority: args.tls_ca.clone(),
        },
        _ => Tls::Own(args.dns.clone()),
    }
}

fn register(args: &RegisterArgs, config: &Config) -> anyhow::Result<Outcome> {
    let reach = match &args.url {
        Some(url) => Reach::Url(url.clone()),
        None => service(&args.service)?,
    };
    let folder = &config.server.data_dir;
    seareeve_server::make_private_folder(folder)?;
    let authority = seareeve_webhook::authority(tls(&args.tls), folder)?;
    let registered = Registered {
        name: "seareeve-admission".to_owned(),
        reach,
        ca_bundle: STANDARD.encode(authority),
        timeout_seconds: args.timeout,
        fails_closed: args.fail_closed,
        excluded_namespaces: args.exclude_namespaces.clone(),
    };
    output::result(None, &seareeve_admission::yaml(&configuration(&registered)))?;
    Ok(Outcome::Done)
}

/// `NAMESPACE/NAME` or `NAMESPACE/NAME:PORT`.
fn service(text: &str) -> anyhow::Result<Reach> {
    let (path, port) = text.split_once(':').unwrap_or((text, "443"));
    let parsed = path.split_once('/').zip(port.parse().ok());
    let Some(((namespace, name), port)) = parsed else {
        bail!("{text} is no service such as seareeve/seareeve-admission or seareeve/webhook:8443");
    };
    Ok(Reach::Service {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port,
    })
}

fn write(args: &ExportArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let ExportFormat::Vap = args.format;
    let (library, catalogue) = (Library::builtin(), Catalogue::builtin());
    let policy = policy(args.policy.as_deref(), &library, &catalogue)?;
    let export = export(&policy, &library);
    output::result(args.output.as_deref(), &export.to_yaml())?;
    for missing in &export.not_exported {
        messages.note(format!(
            "not exported: {} ({}): {}",
            missing.recommendation, missing.check, missing.reason
        ));
    }
    Ok(match export.not_exported.is_empty() {
        true => Outcome::Done,
        false => Outcome::Incomplete,
    })
}

/// The policy of a file, or the built-in one.
fn policy(
    file: Option<&Utf8Path>,
    library: &Library,
    catalogue: &Catalogue,
) -> anyhow::Result<Policy> {
    let Some(file) = file else {
        return Ok(Policy::new(PolicyFile::default(), library, catalogue)?);
    };
    let bytes = input::file("policy", file, MOST_POLICY)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
    let failed = || format!("failed to use {file}");
    let parsed = PolicyFile::parse(&text).with_context(failed)?;
    Policy::new(parsed, library, catalogue).with_context(failed)
}
