//! Published ports.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::value;

/// A port of the host that leads into a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Published {
    host_ip: String,
    host_port: u16,
    container_port: u16,
    protocol: String,
}

/// Those that are open, and those that are to be when it runs. Nothing when the engine said nothing of either.
pub(super) fn told(data: &Map<String, Value>) -> Option<Value> {
    let open = value(data, &["NetworkSettings", "Ports"]);
    let wanted = value(data, &["HostConfig", "PortBindings"]);
    let mut published = BTreeSet::new();
    for bindings in [open?, wanted?] {
        published.extend(bindings.as_object().into_iter().flatten().flat_map(ports));
    }
    // A port that is open on an address is the same as the one that was wanted on any free port there.
    let all = published.clone();
    published.retain(|port| {
        let is_settled = |other: &Published| {
            other.host_port != 0
                && other.container_port == port.container_port
                && other.protocol == port.protocol
        };
        port.host_port != 0 || !all.iter().any(is_settled)
    });
    // Engines open a port that is wanted on no address in particular on both of these.
    let spelled: BTreeSet<(u16, u16)> = published
        .iter()
        .filter(|port| !port.host_ip.is_empty())
        .map(|port| (port.host_port, port.container_port))
        .collect();
    published.retain(|port| {
        !port.host_ip.is_empty() || !spelled.contains(&(port.host_port, port.container_port))
    });
    let told = published.into_iter().map(|port| {
        let address: Option<IpAddr> = port.host_ip.parse().ok();
        json!({
            "host_ip": port.host_ip, "host_port": port.host_port, "container_port": port.container_port,
            "protocol": port.protocol,
            "wildcard": address.map_or(port.host_ip.is_empty(), |address| address.is_unspecified()),
        })
    });
    Some(told.collect())
}

fn ports((port, bindings): (&String, &Value)) -> Vec<Published> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let Ok(container_port) = number.parse() else {
        return Vec::new();
    };
    let bindings = bindings.as_array().into_iter().flatten().map(|binding| {
        let text = |key| binding.get(key).and_then(Value::as_str).unwrap_or_default();
        // A range is told by its first port; 0 is any.
        let first = text("HostPort").split('-').next().unwrap_or_default();
        Published {
            host_ip: text("HostIp").to_owned(),
            host_port: first.parse().unwrap_or_default(),
            container_port,
            protocol: protocol.to_owned(),
        }
    });
    bindings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(open: Value, wanted: Value) -> Vec<String> {
        let data =
            json!({"NetworkSettings": {"Ports": open}, "HostConfig": {"PortBindings": wanted}});
        let Value::Object(data) = data else { panic!() };
        let told = told(&data).unwrap();
        let ports = told.as_array().unwrap().iter().map(|port| {
            let wildcard = if port["wildcard"] == json!(true) {
                " any"
            } else {
                ""
            };
            format!(
                "{}:{}>{}/{}{wildcard}",
                port["host_ip"].as_str().unwrap(),
                port["host_port"],
                port["container_port"],
                port["protocol"].as_str().unwrap()
            )
        });
        ports.collect()
    }

    #[test]
    fn ports_are_told_once() {
        let one = |ip: &str, port: &str| json!([{"HostIp": ip, "HostPort": port}]);
        for (open, wanted, expected) in [
            (json!({}), json!({}), vec![]),
            (json!({"80/tcp": []}), json!({}), vec![]),
            (
                json!({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}]}),
                json!({"80/tcp": one("", "80")}),
                vec!["0.0.0.0:80>80/tcp any", ":::80>80/tcp any"],
            ),
            (
                json!({}),
                json!({"80/tcp": one("", "80")}),
                vec![":80>80/tcp any"],
            ),
            (
                json!({"80/tcp": one("127.0.0.1", "32768")}),
                json!({"80/tcp": one("127.0.0.1", "")}),
                vec!["127.0.0.1:32768>80/tcp"],
            ),
            (
                json!({}),
                json!({"53/udp": one("10.0.0.1", "8000-8010")}),
                vec!["10.0.0.1:8000>53/udp"],
            ),
            (json!({}), json!({"x": one("", "1")}), vec![]),
        ] {
            assert_eq!(shown(open, wanted), expected);
        }
    }
}
