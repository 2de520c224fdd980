//! The files that kubectl reads: clusters, users, and contexts that join them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use base64::Engine as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::credentials::{ClientCertificate, Credentials};
use super::exec::Exec;

/// Largest file that is one, and largest that one names.
const MAX_FILE: u64 = 10 << 20;

/// How long a program may take to give credentials. It may have to ask somebody far away.
const EXEC_TIME: Duration = Duration::from_secs(60);

/// Why a kubeconfig leads to no cluster. The user's fault.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// A file cannot be read.
    #[error("failed to read {path}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no kubeconfig.
    #[error("{path} is no kubeconfig: {why}")]
    Malformed {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No context is chosen, neither by the file nor by the user.
    #[error("no context is chosen; there are: {}", .known.join(", "))]
    NoContext {
        /// The names of those that there are.
        known: Vec<String>,
    },
    /// Something is named that is not there.
    #[error("the kubeconfig has no {what} {name}{}", known_ones(.known))]
    Missing {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// The name.
        name: String,
        /// The names of those that there are.
        known: Vec<String>,
    },
    /// A part of it cannot be used.
    #[error("the {what} of the kubeconfig cannot be used: {why}")]
    Unusable {
        /// Which.
        what: String,
        /// Why, and what would do.
        why: String,
    },
}

fn known_ones(known: &[String]) -> String {
    if known.is_empty() {
        String::new()
    } else {
        format!("; there are: {}", known.join(", "))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Kubeconfig {
    clusters: Vec<Named>,
    users: Vec<Named>,
    contexts: Vec<Named>,
    current_context: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    content: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Cluster {
    server: String,
    certificate_authority: Option<String>,
    certificate_authority_data: Option<String>,
    insecure_skip_tls_verify: bool,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
    extensions: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct User {
    client_certificate: Option<String>,
    client_certificate_data: Option<String>,
    client_key: Option<String>,
    client_key_data: Option<String>,
    token: Option<String>,
    #[serde(alias = "tokenFile")]
    token_file: Option<String>,
    username: Option<String>,
    password: Option<String>,
    r#as: Option<String>,
    as_groups: Vec<String>,
    exec: Option<ExecPart>,
    auth_provider: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecPart {
    command: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    provide_cluster_info: bool,
    #[serde(default)]
    interactive_mode: String,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    value: String,
}

/// A part, and the folder of its file, from which its paths go on.
type Parts = BTreeMap<String, (Map<String, Value>, Utf8PathBuf)>;

impl Connection {
    /// The connection that `context` of the kubeconfig files means, or the context that they choose themselves. Of
    /// parts of the same name, the first file's counts, as for kubectl; files that do not exist are passed over.
    ///
    /// # Errors
    /// [`KubeconfigError`].
    pub fn from_kubeconfig(
        files: &[Utf8PathBuf],
        context: Option<&str>,
    ) -> Result<Self, KubeconfigError> {
        let (mut clusters, mut users, mut contexts) = (Parts::new(), Parts::new(), Parts::new());
        let mut current = String::new();
        for path in files {
            let Some(file) = read(path)? else {
                continue;
            };
            let folder = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
            for (parts, named) in [
                (&mut clusters, file.clusters),
                (&mut users, file.users),
                (&mut contexts, file.contexts),
            ] {
                for part in named {
                    let entry = parts.entry(part.name);
                    entry.or_insert_with(|| (part.content, folder.clone()));
                }
            }
            if current.is_empty() {
                current = file.current_context;
            }
        }
        let name = context.unwrap_or(&current);
        if name.is_empty() {
            let known = contexts.into_keys().collect();
            return Err(KubeconfigError::NoContext { known });
        }
        let (context, _) = part::<Context>(&contexts, "context", name)?;
        let (cluster, cluster_folder) = part::<Cluster>(&clusters, "cluster", &context.cluster)?;
        let (user, user_folder) = if context.user.is_empty() {
            (User::default(), Utf8PathBuf::new())
        } else {
            part::<User>(&users, "user", &context.user)?
        };
        connection(name, cluster, &cluster_folder, user, &user_folder)
    }
}

fn connection(
    name: &str,
    cluster: Cluster,
    cluster_folder: &Utf8Path,
    user: User,
    user_folder: &Utf8Path,
) -> Result<Connection, KubeconfigError> {
    let authorities = bytes(
        "certificate authority",
        cluster.certificate_authority_data.as_deref(),
        cluster.certificate_authority.as_deref(),
        cluster_folder,
    )?;
    let chain = bytes(
        "client certificate",
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
        user_folder,
    )?;
    let key = bytes(
        "client key",
        user.client_key_data.as_deref(),
        user.client_key.as_deref(),
        user_folder,
    )?;
    let certificate = chain
        .zip(key)
        .map(|(chain, key)| ClientCertificate { chain, key });
    let act_as = user.r#as.clone().map(|name| (name, user.as_groups.clone()));
    Ok(Connection {
        name: name.to_owned(),
        credentials: credentials(user, user_folder, &cluster, authorities.as_deref())?,
        server: cluster.server,
        authorities,
        skips_verification: cluster.insecure_skip_tls_verify,
        tls_server_name: cluster.tls_server_name.filter(|name| !name.is_empty()),
        proxy: cluster.proxy_url.filter(|url| !url.is_empty()),
        certificate,
        act_as,
    })
}

fn credentials(
    user: User,
    folder: &Utf8Path,
    cluster: &Cluster,
    authorities: Option<&[u8]>,
) -> Result<Credentials, KubeconfigError> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    if let Some(exec) = user.exec {
        return Ok(Credentials::Exec(program(
            exec,
            folder,
            cluster,
            authorities,
        )?));
    }
    // The file is the one that is kept fresh.
    if let Some(path) = given(user.token_file) {
        return Ok(Credentials::TokenFile(folder.join(path)));
    }
    if let Some(token) = given(user.token) {
        return Ok(Credentials::Token(token));
    }
    if let (Some(name), Some(password)) = (given(user.username), given(user.password)) {
        return Ok(Credentials::Basic(name, password));
    }
    match user.auth_provider {
        Some(_) => Err(KubeconfigError::Unusable {
            what: "user's auth-provider".to_owned(),
            why: "kubectl knows it no longer, either; a program under `exec` takes its place"
                .to_owned(),
        }),
        None => Ok(Credentials::None),
    }
}

fn program(
    exec: ExecPart,
    folder: &Utf8Path,
    cluster: &Cluster,
    authorities: Option<&[u8]>,
) -> Result<Exec, KubeconfigError> {
    if exec.interactive_mode == "Always" {
        return Err(KubeconfigError::Unusable {
            what: format!("program {}", exec.command),
            why: "it wants to talk to somebody, and nobody may be there".to_owned(),
        });
    }
    // A path goes on from the file, a mere name is looked for.
    let command = if exec.command.contains('/') {
        folder.join(&exec.command).into_string()
    } else {
        exec.command
    };
    let config = cluster
        .extensions
        .iter()
        .find(|extension| {
            let name = extension.get("name").and_then(Value::as_str);
            name == Some("client.authentication.k8s.io/exec")
        })
        .and_then(|extension| extension.get("extension"));
    let about_cluster = exec.provide_cluster_info.then(|| {
        let mut about = json!({
            "server": cluster.server,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        });
        if let Some(about) = about.as_object_mut() {
            let engine = base64::engine::general_purpose::STANDARD;
            for (name, value) in [
                (
                    "tls-server-name",
                    cluster.tls_server_name.clone().map(Value::from),
                ),
                ("proxy-url", cluster.proxy_url.clone().map(Value::from)),
                (
                    "certificate-authority-data",
                    authorities.map(|bytes| engine.encode(bytes).into()),
                ),
                ("config", config.cloned()),
            ] {
                if let Some(value) = value {
                    about.insert(name.to_owned(), value);
                }
            }
        }
        about
    });
    Ok(Exec {
        command,
        arguments: exec.args,
        environment: exec
            .env
            .into_iter()
            .map(|variable| (variable.name, variable.value))
            .collect(),
        api_version: match exec.api_version.as_str() {
            "" => "client.authentication.k8s.io/v1".to_owned(),
            version => version.to_owned(),
        },
        cluster: about_cluster,
        time: EXEC_TIME,
    })
}

/// The part of that name, and its folder.
fn part<T: Default + for<'de> Deserialize<'de>>(
    parts: &Parts,
    what: &'static str,
    name: &str,
) -> Result<(T, Utf8PathBuf), KubeconfigError> {
    let Some((content, folder)) = parts.get(name) else {
        return Err(KubeconfigError::Missing {
            what,
            name: name.to_owned(),
            known: parts.keys().cloned().collect(),
        });
    };
    let content = content.get(what).cloned().unwrap_or_else(|| json!({}));
    let part = serde_json::from_value(content).map_err(|error| KubeconfigError::Unusable {
        what: format!("{what} {name}"),
        why: error.to_string(),
    })?;
    Ok((part, folder.clone()))
}

fn read(path: &Utf8Path) -> Result<Option<Kubeconfig>, KubeconfigError> {
    let content = match read_file(path) {
        Ok(content) => content,
        Err(KubeconfigError::Unreadable { source, .. })
            if source.kind() == io::ErrorKind::NotFound =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let malformed = |why: String| KubeconfigError::Malformed {
        path: path.to_owned(),
        why,
    };
    let value = seareeve_kubernetes::value(&content).map_err(malformed)?;
    match value {
        Value::Null => Ok(None),
        value => serde_json::from_value(value)
            .map(Some)
            .map_err(|error| malformed(error.to_string())),
    }
}

/// What is given in the file itself, in base64, or else in another one.
fn bytes(
    what: &str,
    data: Option<&str>,
    path: Option<&str>,
    folder: &Utf8Path,
) -> Result<Option<Vec<u8>>, KubeconfigError> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let decoded = base64::engine::general_purpose::STANDARD.decode(data.trim());
        return decoded
            .map(Some)
            .map_err(|error| KubeconfigError::Unusable {
                what: what.to_owned(),
                why: error.to_string(),
            });
    }
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    read_file(&folder.join(path)).map(Some)
}

fn read_file(path: &Utf8Path) -> Result<Vec<u8>, KubeconfigError> {
    let failed = |source| KubeconfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_end(&mut content))
        .map_err(failed)?;
    Ok(content)
}
