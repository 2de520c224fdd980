//! Facts about what is reachable: services, ingresses, gateways, network policies.

use serde_json::{Map, Value, json};

use crate::json::{list, map_or_empty, put, text, texts};
use crate::resource::Resource;

pub(crate) fn service(value: &Value, data: &mut Map<String, Value>) {
    let spec = map_or_empty(value, "/spec");
    let addresses = list(value, "/status/loadBalancer/ingress")
        .iter()
        .filter_map(|address| text(address, "/ip").or_else(|| text(address, "/hostname")))
        .map(Value::from);
    data.insert("load_balancer".to_owned(), addresses.collect());
    let exposed = match text(&spec, "/type") {
        Some("LoadBalancer") => "load-balancer",
        _ if !list(&spec, "/externalIPs").is_empty() => "external-ip",
        Some("NodePort") => "node",
        _ => "no",
    };
    data.insert("exposed".to_owned(), exposed.into());
    data.insert("internal".to_owned(), is_internal(value).into());
    data.insert("spec".to_owned(), spec);
}

/// Whether a cloud is told to keep the load balancer inside its network.
fn is_internal(service: &Value) -> bool {
    const ANNOTATIONS: &[(&str, &[&str])] = &[
        (
            "service.beta.kubernetes.io/azure-load-balancer-internal",
            &["true"],
        ),
        (
            "service.beta.kubernetes.io/aws-load-balancer-internal",
            &["true", "0.0.0.0/0"],
        ),
        (
            "service.beta.kubernetes.io/aws-load-balancer-scheme",
            &["internal"],
        ),
        ("networking.gke.io/load-balancer-type", &["internal"]),
        ("cloud.google.com/load-balancer-type", &["internal"]),
        (
            "service.beta.kubernetes.io/openstack-internal-load-balancer",
            &["true"],
        ),
    ];
    let annotations = crate::json::map(service, "/metadata/annotations");
    ANNOTATIONS.iter().any(|(name, values)| {
        let given = annotations
            .and_then(|all| all.get(*name))
            .and_then(Value::as_str)
            .map(str::to_ascii_lowercase);
        given.is_some_and(|given| values.contains(&given.as_str()))
    })
}

pub(crate) fn ingress(value: &Value, data: &mut Map<String, Value>) {
    let spec = map_or_empty(value, "/spec");
    let annotations = crate::json::map(value, "/metadata/annotations");
    let annotation = |name: &str| annotations.and_then(|all| all.get(name))?.as_str();
    let class =
        text(&spec, "/ingressClassName").or_else(|| annotation("kubernetes.io/ingress.class"));
    put(data, "class", class);
    let mut hosts: Vec<&str> = list(&spec, "/rules")
        .iter()
        .map(|rule| {
            text(rule, "/host")
                .filter(|host| !host.is_empty())
                .unwrap_or("*")
        })
        .collect();
    if hosts.is_empty() || spec.get("defaultBackend").is_some() || spec.get("backend").is_some() {
        hosts.push("*");
    }
    hosts.sort_unstable();
    hosts.dedup();
    let tls = list(&spec, "/tls");
    let without = hosts.iter().filter(|host| !has_tls(tls, host));
    data.insert(
        "hosts_without_tls".to_owned(),
        without.copied().map(Value::from).collect(),
    );
    data.insert("hosts".to_owned(), hosts.into());
    let allow = annotation("kubernetes.io/ingress.allow-http").and_then(|text| text.parse().ok());
    let redirects = [
        "nginx.ingress.kubernetes.io/ssl-redirect",
        "nginx.ingress.kubernetes.io/force-ssl-redirect",
        "appgw.ingress.kubernetes.io/ssl-redirect",
        "haproxy.org/ssl-redirect",
    ];
    let redirects = redirects
        .iter()
        .any(|name| annotation(name).is_some_and(|value| value.eq_ignore_ascii_case("true")));
    let only_secure = annotation("traefik.ingress.kubernetes.io/router.entrypoints")
        == Some("websecure")
        || annotation("alb.ingress.kubernetes.io/ssl-redirect").is_some();
    let allow_http: Option<bool> = if redirects || only_secure {
        Some(false)
    } else {
        allow
    };
    put(data, "allow_http", allow_http);
    data.insert("spec".to_owned(), spec);
}

/// An entry without hosts is for all; `*.example.org` is for one name below.
fn has_tls(tls: &[Value], host: &str) -> bool {
    tls.iter().any(|entry| {
        let mut named = texts(entry, "/hosts").peekable();
        named.peek().is_none()
            || named.any(|name| {
                name == host
                    || name.strip_prefix("*.").is_some_and(|domain| {
                        host.split_once('.')
                            .is_some_and(|(first, rest)| first != "*" && rest == domain)
                    })
            })
    })
}

pub(crate) fn gateway(value: &Value, data: &mut Map<String, Value>) {
    let spec = map_or_empty(value, "/spec");
    let listeners = list(&spec, "/listeners").iter().map(|listener| {
        let mut item = Map::new();
        for field in ["name", "protocol", "port", "hostname"] {
            put(&mut item, field, listener.get(field).cloned());
        }
        let default = listener.get("tls").map(|_| "Terminate");
        put(
            &mut item,
            "tls_mode",
            text(listener, "/tls/mode").or(default),
        );
        Value::Object(item)
    });
    data.insert("listeners".to_owned(), listeners.collect());
    data.insert("spec".to_owned(), spec);
}

pub(crate) fn policy(resource: Resource, value: &Value, data: &mut Map<String, Value>) {
    let spec = map_or_empty(value, "/spec");
    data.insert(
        "cluster_wide".to_owned(),
        (!resource.api().namespaced).into(),
    );
    if resource == Resource::NetworkPolicy {
        let selector = spec.get("podSelector");
        let part = |name: &str| selector.and_then(|selector| selector.get(name));
        let selects_all = part("matchLabels")
            .and_then(Value::as_object)
            .is_none_or(Map::is_empty)
            && part("matchExpressions")
                .and_then(Value::as_array)
                .is_none_or(Vec::is_empty);
        data.insert("selects_all".to_owned(), selects_all.into());
        let types = policy_types(&spec);
        let denies = types.iter().filter(|kind| {
            let rules = if **kind == "Ingress" {
                "/ingress"
            } else {
                "/egress"
            };
            list(&spec, rules).is_empty()
        });
        data.insert(
            "denies_all".to_owned(),
            denies.copied().map(Value::from).collect(),
        );
        data.insert("types".to_owned(), json!(types));
    }
    data.insert("spec".to_owned(), spec);
}

/// What the API fills in where a policy does not say: ingress always, egress if there are rules for it.
fn policy_types(spec: &Value) -> Vec<&str> {
    let mut given = texts(spec, "/policyTypes").peekable();
    if given.peek().is_some() {
        return given.collect();
    }
    let mut types = vec!["Ingress"];
    if !list(spec, "/egress").is_empty() {
        types.push("Egress");
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(make: fn(&Value, &mut Map<String, Value>), value: &Value) -> Value {
        let mut data = Map::new();
        make(value, &mut data);
        data.remove("spec");
        Value::Object(data)
    }

    #[test]
    fn services_say_how_they_are_exposed() {
        let internal = json!({
            "metadata": {"annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "True"}},
            "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.4"}, {"hostname": "a.b"}]}},
        });
        assert_eq!(
            of(service, &internal),
            json!({"exposed": "load-balancer", "internal": true, "load_balancer": ["10.0.0.4", "a.b"]})
        );
        for (spec, exposed) in [
            (json!({}), "no"),
            (json!({"type": "NodePort"}), "node"),
            (json!({"externalIPs": ["1.2.3.4"]}), "external-ip"),
        ] {
            let found = of(service, &json!({"spec": spec}));
            assert_eq!(found["exposed"], exposed);
        }
    }

    #[test]
    fn ingresses_say_which_hosts_have_no_tls() {
        let value = json!({"spec": {
            "rules": [{"host": "a.example.org"}, {"host": "b.c.example.org"}, {}],
            "tls": [{"hosts": ["*.example.org"]}],
        }});
        assert_eq!(
            of(ingress, &value),
            json!({
                "hosts": ["*", "a.example.org", "b.c.example.org"],
                "hosts_without_tls": ["*", "b.c.example.org"],
            })
        );
        let all = json!({
            "metadata": {"annotations": {"kubernetes.io/ingress.allow-http": "false"}},
            "spec": {"defaultBackend": {}, "tls": [{"secretName": "x"}]},
        });
        assert_eq!(
            of(ingress, &all),
            json!({"hosts": ["*"], "hosts_without_tls": [], "allow_http": false})
        );
    }

    #[test]
    fn policies_say_what_they_deny() {
        let policy = |value: &Value, data: &mut Map<String, Value>| {
            policy(Resource::NetworkPolicy, value, data);
        };
        for (spec, wanted) in [
            (
                json!({"podSelector": {}}),
                json!({"cluster_wide": false, "selects_all": true, "types": ["Ingress"], "denies_all": ["Ingress"]}),
            ),
            (
                json!({"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}]}),
                json!({"cluster_wide": false, "selects_all": false, "types": ["Ingress", "Egress"], "denies_all": ["Egress"]}),
            ),
        ] {
            assert_eq!(of(policy, &json!({"spec": spec})), wanted);
        }
    }
}
