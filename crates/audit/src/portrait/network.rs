//! What leads from outside into a cluster, and from a cluster outside: services, ingresses, webhooks.

use super::{Aspect, Portrait, items, texts};
use crate::json::Node;

/// Annotations by which clouds make a load balancer that only the inside reaches, with the values that do not.
const INTERNAL: &[(&str, &[&str])] = &[
    (
        "service.beta.kubernetes.io/azure-load-balancer-internal",
        &["false"],
    ),
    (
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        &["false", "0.0.0.0/0"],
    ),
    (
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        &["internet-facing"],
    ),
    ("networking.gke.io/load-balancer-type", &["External"]),
    ("cloud.google.com/load-balancer-type", &["External"]),
    (
        "service.beta.kubernetes.io/openstack-internal-load-balancer",
        &["false"],
    ),
    (
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
        &["public"],
    ),
    (
        "service.beta.kubernetes.io/oci-load-balancer-internal",
        &["false"],
    ),
    (
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
        &["internet"],
    ),
];

impl Portrait {
    pub(super) fn service(&mut self, service: Node<'_>) {
        let Some(spec) = service.get("spec") else {
            return;
        };
        let kind = spec.get("type").and_then(Node::str).unwrap_or_default();
        match kind.as_ref() {
            "LoadBalancer" if is_internal(service) => {
                self.push(Aspect::Exposure, "InternalLoadBalancer");
            }
            "LoadBalancer" | "NodePort" => self.push(Aspect::Exposure, kind),
            _ => {}
        }
        if items(spec.get("externalIPs")).next().is_some() {
            self.push(Aspect::Exposure, "ExternalIP");
        }
        for port in items(spec.get("ports")) {
            for key in ["port", "targetPort", "nodePort", "name"] {
                if let Some(value) = port.get(key)
                    && !value.is_null()
                    && !value.is_object()
                    && !value.is_list()
                {
                    self.push(Aspect::ServicePort, value.rendered());
                }
            }
        }
        for list in [spec.get("selector"), service.path(&["metadata", "labels"])] {
            for (key, value) in texts(list) {
                self.push(Aspect::Selector, format!("{key}={value}"));
            }
        }
        self.labels_of(spec.get("selector"));
    }

    pub(super) fn ingress(&mut self, ingress: Node<'_>) {
        let spec = ingress.get("spec");
        let whole = spec.and_then(|spec| spec.get("defaultBackend").or(spec.get("backend")));
        for rule in items(spec.and_then(|spec| spec.get("rules"))) {
            self.push_some(Aspect::IngressHost, rule.get("host"));
            for path in items(rule.path(&["http", "paths"])) {
                self.backend(path.get("backend"));
            }
        }
        self.backend(whole);
    }

    fn backend(&mut self, backend: Option<Node<'_>>) {
        let Some(backend) = backend else { return };
        self.push_some(Aspect::Backend, backend.path(&["service", "name"]));
        self.push_some(Aspect::Backend, backend.get("serviceName"));
    }

    pub(super) fn webhooks(&mut self, configuration: Node<'_>) {
        for webhook in items(configuration.get("webhooks")) {
            if let Some(client) = webhook.get("clientConfig") {
                self.endpoint(client.get("url"), client.get("service"));
            }
            for rule in items(webhook.get("rules")) {
                self.covers(rule);
            }
        }
    }

    /// What of the API a rule of a webhook is about: `secrets`, `deployments.apps`; of all groups without a group.
    fn covers(&mut self, rule: Node<'_>) {
        let groups: Vec<_> = items(rule.get("apiGroups")).filter_map(Node::str).collect();
        for resource in items(rule.get("resources")).filter_map(Node::str) {
            if groups.is_empty() {
                self.push(Aspect::Covers, resource.as_ref());
            }
            for group in &groups {
                match group.as_ref() {
                    "" | "*" => self.push(Aspect::Covers, resource.as_ref()),
                    group => self.push(Aspect::Covers, format!("{resource}.{group}")),
                }
            }
        }
    }

    /// A network policy that lets everything in or out.
    pub(super) fn network_policy(&mut self, policy: Node<'_>) {
        for (list, peers, danger) in [
            ("ingress", "from", "any-ingress"),
            ("egress", "to", "any-egress"),
        ] {
            let is_open = items(policy.path(&["spec", list])).any(|rule| {
                let peers = items(rule.get(peers)).next();
                let ports = items(rule.get("ports")).next();
                peers.is_none() && ports.is_none()
            });
            if is_open {
                self.push(Aspect::Danger, danger);
            }
        }
    }

    pub(super) fn api_service(&mut self, service: Node<'_>) {
        self.endpoint(None, service.path(&["spec", "service"]));
    }

    fn endpoint(&mut self, url: Option<Node<'_>>, service: Option<Node<'_>>) {
        if let Some(url) = url.and_then(Node::str) {
            self.push(Aspect::EndpointHost, host(&url));
            self.push(Aspect::Endpoint, url);
        }
        if let Some(service) = service {
            let part = |key| {
                let text = service.get(key).and_then(Node::str);
                text.unwrap_or_default()
            };
            let endpoint = format!("{}/{}", part("namespace"), part("name"));
            if endpoint.len() > 1 {
                self.push(Aspect::Endpoint, endpoint);
            }
        }
    }

    /// A persistent volume that is a folder of the node.
    pub(super) fn volume_of_node(&mut self, volume: Node<'_>) {
        for source in ["hostPath", "local"] {
            if let Some(path) = volume.path(&["spec", source, "path"]).and_then(Node::str) {
                self.push(Aspect::HostPath, super::workload::clean(&path));
            }
        }
    }
}

fn is_internal(service: Node<'_>) -> bool {
    let annotations = service.path(&["metadata", "annotations"]);
    annotations.is_some_and(|annotations| {
        INTERNAL.iter().any(|(name, unless)| {
            let value = annotations.get(name).and_then(Node::str);
            value.is_some_and(|value| {
                !unless
                    .iter()
                    .any(|external| value.eq_ignore_ascii_case(external))
            })
        })
    })
}

/// The host of a URL, lower case, without port and brackets.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tree;

    fn exposure(text: &str) -> Vec<String> {
        let tree = Tree::read(text.as_bytes()).unwrap();
        let portrait = Portrait::read("", "services", tree.root().unwrap());
        portrait
            .about(Aspect::Exposure)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn load_balancers_inside_are_told_from_those_outside() {
        for (annotation, expected) in [
            (r#""a":"b""#, "LoadBalancer"),
            (
                r#""service.beta.kubernetes.io/azure-load-balancer-internal":"true""#,
                "InternalLoadBalancer",
            ),
            (
                r#""service.beta.kubernetes.io/aws-load-balancer-scheme":"internet-facing""#,
                "LoadBalancer",
            ),
            (
                r#""networking.gke.io/load-balancer-type":"Internal""#,
                "InternalLoadBalancer",
            ),
        ] {
            let text = format!(
                r#"{{"metadata":{{"annotations":{{{annotation}}}}},"spec":{{"type":"LoadBalancer"}}}}"#
            );
            assert_eq!(exposure(&text), [expected]);
        }
        assert_eq!(
            exposure(r#"{"spec":{"type":"NodePort","externalIPs":["1.2.3.4"]}}"#),
            ["NodePort", "ExternalIP"]
        );
        assert!(exposure(r#"{"spec":{"type":"ClusterIP"}}"#).is_empty());
    }

    #[test]
    fn hosts_of_urls_are_found() {
        for (url, expected) in [
            ("https://Evil.Example:8443/x", "evil.example"),
            ("https://u:p@h/x@y", "h"),
            ("https://[::1]:9/x", "::1"),
            ("h", "h"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
