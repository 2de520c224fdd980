//! What a server is asked about connectors and the assets that they bring. Lists for people are lines, all else is JSON.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use seareeve_api::{ChangeConnector, Client, ConnectorCredentials, NewConnector};
use serde::Serialize;

use crate::args::{
    CloudsCommand, ConnectorCommand, CredentialsKind, EditConnectorArgs, NewConnectorArgs,
    PrincipalArgs,
};
use crate::output;

pub(super) fn run(client: &Client, command: &CloudsCommand) -> anyhow::Result<()> {
    match command {
        CloudsCommand::Connector(ConnectorCommand::List) => json(&client.connectors()?),
        CloudsCommand::Connector(ConnectorCommand::Create(args)) => {
            json(&client.create_connector(&new(args)?)?)
        }
        CloudsCommand::Connector(ConnectorCommand::Edit(args)) => {
            json(&client.change_connector(args.id, &change(args)?)?)
        }
        CloudsCommand::Connector(ConnectorCommand::Test { id }) => test(client, *id),
        CloudsCommand::Connector(ConnectorCommand::Read { id }) => {
            json(&client.read_connector(*id)?)
        }
        CloudsCommand::Connector(ConnectorCommand::Delete { id }) => {
            Ok(client.delete_connector(*id)?)
        }
        CloudsCommand::CloudAssets => list(client),
        CloudsCommand::CloudAsset { id } => json(&client.cloud_asset(*id)?),
        CloudsCommand::ReportCloudAsset { id } => json(&client.cloud_asset_report(*id)?),
        CloudsCommand::CloudAssetFacts { id } => {
            // In one line, as `azure --save-facts` writes them.
            let facts = client.cloud_asset_facts(*id)?;
            output::result(None, &format!("{facts}\n"))
        }
    }
}

fn json(value: &impl Serialize) -> anyhow::Result<()> {
    output::result(None, &output::json::text(value)?)
}

fn list(client: &Client) -> anyhow::Result<()> {
    let mut text = String::new();
    for asset in client.cloud_assets()?.assets {
        let failed = asset.failed;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {}  C{} H{} M{} L{}  {}  {}",
            asset.id,
            asset.state,
            failed.critical,
            failed.high,
            failed.medium,
            failed.low,
            asset.kind,
            output::safe(&asset.name)
        );
    }
    output::result(None, &text)
}

fn new(args: &NewConnectorArgs) -> anyhow::Result<NewConnector> {
    Ok(NewConnector {
        kind: "azure".to_owned(),
        name: args.name.clone(),
        cloud: args.cloud.clone(),
        credentials: credentials(args.credentials, &args.principal)?,
        subscriptions: args.subscription.clone(),
        every_hours: args.every_hours,
    })
}

fn test(client: &Client, id: i64) -> anyhow::Result<()> {
    let tested = client.test_connector(id)?;
    json(&tested)?;
    if let Some(problem) = tested.problem {
        bail!("{}", output::safe(&problem));
    }
    Ok(())
}

fn change(args: &EditConnectorArgs) -> anyhow::Result<ChangeConnector> {
    let subscriptions = args.all_subscriptions.then(Vec::new);
    let principal = &args.principal;
    let named = [
        &principal.tenant,
        &principal.client,
        &principal.secret_file,
        &principal.secret_variable,
    ];
    if args.credentials.is_none() && named.into_iter().any(Option::is_some) {
        bail!("say with --credentials which kind these belong to");
    }
    let given = args.credentials.map(|kind| credentials(kind, principal));
    Ok(ChangeConnector {
        name: args.name.clone(),
        cloud: args.cloud.clone(),
        credentials: given.transpose()?,
        subscriptions: args.subscription.clone().or(subscriptions),
        every_hours: args.every_hours,
        paused: match (args.pause, args.resume) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
    })
}

fn credentials(
    kind: CredentialsKind,
    args: &PrincipalArgs,
) -> anyhow::Result<ConnectorCredentials> {
    let needed = |value: &Option<String>, flag: &str| {
        let value = value.clone();
        value.with_context(|| format!("these credentials need --{flag}"))
    };
    let (tenant, client) = (args.tenant.clone(), args.client.clone());
    Ok(match kind {
        CredentialsKind::ManagedIdentity => ConnectorCredentials::ManagedIdentity { client },
        CredentialsKind::WorkloadIdentity => {
            ConnectorCredentials::WorkloadIdentity { tenant, client }
        }
        CredentialsKind::Secret => {
            let tenant = needed(&args.tenant, "tenant")?;
            let client = needed(&args.client, "client")?;
            match &args.secret_variable {
                Some(variable) => ConnectorCredentials::SecretVariable {
                    tenant,
                    client,
                    variable: variable.clone(),
                },
                None => ConnectorCredentials::SecretFile {
                    tenant,
                    client,
                    file: needed(&args.secret_file, "secret-file or --secret-variable")?,
                },
            }
        }
        CredentialsKind::Certificate => ConnectorCredentials::CertificateFile {
            tenant: needed(&args.tenant, "tenant")?,
            client: needed(&args.client, "client")?,
            file: needed(&args.secret_file, "secret-file")?,
        },
    })
}
