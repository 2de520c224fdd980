//! Which node of which cluster a machine is: by its kubelet's kubeconfig, and by what the sensor was told.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use seareeve_kubernetes::Observed;
use seareeve_model::Fact;
use serde_json::{Map, Value, json};

use super::{Component, Machine};
use crate::certificate;
use crate::docker_host::NodeOptions;
use crate::redact;

/// Bytes of a kubeconfig, and of the certificates that it names.
const MAX_FILE: u64 = 4 << 20;

/// Where kubelets' kubeconfigs are, if no kubelet says it.
const KUBECONFIGS: [&str; 2] = [
    "/etc/kubernetes/kubelet.conf",
    "/var/lib/kubelet/kubeconfig",
];

/// How the certificate of a node names it.
const NODE: &str = "system:node:";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Membership {
    pub(super) node: String,
    node_from: &'static str,
    cluster_uid: Option<(String, &'static str)>,
    api_server: Option<String>,
    authorities: Vec<String>,
    components: Vec<String>,
}

impl Membership {
    pub(super) fn find(
        machine: &Machine<'_>,
        options: &NodeOptions,
        kubelet: Option<&Component>,
        seen: &[Observed],
    ) -> Self {
        let read = Kubeconfig::read(machine, kubelet).unwrap_or_default();
        let flag = kubelet.and_then(|kubelet| kubelet.option("hostname-override"));
        let (node, node_from) = match (&options.name, flag, read.node) {
            (Some(name), ..) => (name.clone(), "option"),
            (None, Some(name), _) => (name.to_owned(), "flag"),
            (None, None, Some(name)) => (name, "certificate"),
            // The kubelet's own way to a name (`nodeutil.GetHostname`).
            (None, None, None) => (machine.hostname.trim().to_lowercase(), "hostname"),
        };
        let mut components: Vec<String> = seen.iter().map(|seen| seen.component.clone()).collect();
        components.sort_unstable();
        Self {
            node,
            node_from,
            cluster_uid: options.cluster_uid.clone(),
            api_server: read.server,
            authorities: read.authorities,
            components,
        }
    }

    pub(super) fn fact(&self) -> Fact {
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
        put("node", json!(self.node));
        put("node_from", json!(self.node_from));
        put("authorities", json!(self.authorities));
        put("components", json!(self.components));
        if let Some((uid, from)) = &self.cluster_uid {
            put("cluster_uid", json!(uid));
            put("cluster_uid_from", json!(from));
        }
        if let Some(server) = &self.api_server {
            put("api_server", json!(server));
        }
        Fact {
            id: "membership".to_owned(),
            name: self.node.clone(),
            data: Value::Object(data),
        }
    }
}

/// What a kubelet's kubeconfig tells, without who it is.
#[derive(Debug, Default)]
struct Kubeconfig {
    server: Option<String>,
    authorities: Vec<String>,
    node: Option<String>,
}

impl Kubeconfig {
    fn read(machine: &Machine<'_>, kubelet: Option<&Component>) -> Option<Self> {
        let told = kubelet.and_then(|kubelet| kubelet.option("kubeconfig"));
        let on_machine = |path: &str| match kubelet {
            Some(kubelet) => kubelet.places.on_machine(path),
            None => Some(path.into()),
        };
        let place = match told {
            Some(path) => on_machine(path)?,
            None => KUBECONFIGS
                .into_iter()
                .find(|path| machine.root.exists(path))?
                .into(),
        };
        let content = machine.root.read(&place, MAX_FILE).ok()?;
        let config = seareeve_kubernetes::value(&content).ok()?;
        let text = |value: &Value, name: &str| -> Option<String> {
            let text = value.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let named = |list: &str, name: &str| -> Option<Value> {
            let all = config.get(list)?.as_array()?;
            let one = all
                .iter()
                .find(|one| one.get("name").and_then(Value::as_str) == Some(name))?;
            // `clusters` hold `cluster`, `users` hold `user`.
            one.get(list.trim_end_matches('s')).cloned()
        };
        // Files that it names are looked up beside it.
        let file = |path: String| -> Option<String> {
            let path = match path.starts_with('/') {
                true => on_machine(&path)?,
                false => place.parent()?.join(path),
            };
            machine.root.text(path.as_str(), MAX_FILE).ok()
        };
        let pem = |value: &Value, name: &str| -> Option<String> {
            match text(value, &format!("{name}-data")) {
                Some(data) => {
                    let bytes = BASE64_STANDARD.decode(data.trim()).ok()?;
                    String::from_utf8(bytes).ok()
                }
                None => file(text(value, name)?),
            }
        };
        let context = named("contexts", &text(&config, "current-context")?)?;
        let cluster = named("clusters", &text(&context, "cluster")?).unwrap_or_default();
        let user = text(&context, "user").and_then(|user| named("users", &user));
        let own = user.and_then(|user| pem(&user, "client-certificate"));
        let names = certificate::all(&own.unwrap_or_default()).into_iter();
        let mut names = names.filter_map(|certificate| certificate.common_name);
        let authorities = pem(&cluster, "certificate-authority");
        let authorities = certificate::all(&authorities.unwrap_or_default()).into_iter();
        Some(Self {
            server: text(&cluster, "server").map(|server| redact::text(&server)),
            authorities: authorities.map(|one| one.fingerprint).collect(),
            node: names.find_map(|name| Some(name.strip_prefix(NODE)?.to_owned())),
        })
    }
}
