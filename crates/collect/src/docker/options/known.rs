//! The options of `dockerd`.

/// What values an option has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Number,
    List,
    Map,
    Ulimits,
    Runtimes,
}

/// An option.
#[derive(Debug)]
pub(crate) struct Known {
    /// On the command line, without dashes.
    pub(crate) flag: &'static str,
    /// In the file.
    pub(crate) key: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) kind: Kind,
    /// Whether checks want it: only then it has a default here.
    pub(crate) is_told: bool,
}

const fn told(flag: &'static str, kind: Kind) -> Known {
    Known {
        flag,
        key: flag,
        short: None,
        kind,
        is_told: true,
    }
}

const fn keyed(flag: &'static str, key: &'static str, kind: Kind) -> Known {
    Known {
        key,
        ..told(flag, kind)
    }
}

const fn short(short: char, of: Known) -> Known {
    Known {
        short: Some(short),
        ..of
    }
}

/// Only needed to read the command line.
const fn other(flag: &'static str, kind: Kind) -> Known {
    Known {
        is_told: false,
        ..told(flag, kind)
    }
}

/// All options of `dockerd` from 19.03 to 29.
pub(crate) const OPTIONS: &[Known] = &[
    keyed("add-runtime", "runtimes", Kind::Runtimes),
    other("allow-direct-routing", Kind::Bool),
    other("allow-nondistributable-artifacts", Kind::List),
    other("api-cors-header", Kind::Text),
    keyed("authorization-plugin", "authorization-plugins", Kind::List),
    told("bip", Kind::Text),
    other("bip6", Kind::Text),
    short('b', told("bridge", Kind::Text)),
    other("bridge-accept-fwmark", Kind::Text),
    other("cdi-spec-dir", Kind::List),
    told("cgroup-parent", Kind::Text),
    other("cluster-advertise", Kind::Text),
    other("cluster-store", Kind::Text),
    other("cluster-store-opt", Kind::Map),
    other("config-file", Kind::Text),
    told("containerd", Kind::Text),
    other("containerd-namespace", Kind::Text),
    other("containerd-plugins-namespace", Kind::Text),
    other("cpu-rt-period", Kind::Number),
    other("cpu-rt-runtime", Kind::Number),
    other("cri-containerd", Kind::Bool),
    told("data-root", Kind::Text),
    short('D', told("debug", Kind::Bool)),
    other("default-address-pool", Kind::List),
    told("default-cgroupns-mode", Kind::Text),
    other("default-gateway", Kind::Text),
    other("default-gateway-v6", Kind::Text),
    told("default-ipc-mode", Kind::Text),
    other("default-network-opt", Kind::List),
    told("default-runtime", Kind::Text),
    other("default-shm-size", Kind::Text),
    keyed("default-ulimit", "default-ulimits", Kind::Ulimits),
    told("dns", Kind::List),
    other("dns-opt", Kind::List),
    other("dns-search", Kind::List),
    keyed("exec-opt", "exec-opts", Kind::List),
    told("exec-root", Kind::Text),
    told("experimental", Kind::Bool),
    keyed("feature", "features", Kind::Map),
    other("firewall-backend", Kind::Text),
    other("fixed-cidr", Kind::Text),
    other("fixed-cidr-v6", Kind::Text),
    // The name of `data-root` before Docker 17.05.
    short(
        'g',
        Known {
            key: "data-root",
            ..other("graph", Kind::Text)
        },
    ),
    short('G', told("group", Kind::Text)),
    other("help", Kind::Bool),
    short('H', keyed("host", "hosts", Kind::List)),
    other("host-gateway-ip", Kind::List),
    other("http-proxy", Kind::Text),
    other("https-proxy", Kind::Text),
    told("icc", Kind::Bool),
    told("init", Kind::Bool),
    told("init-path", Kind::Text),
    keyed("insecure-registry", "insecure-registries", Kind::List),
    other("ip", Kind::Text),
    told("ip-forward", Kind::Bool),
    other("ip-forward-no-drop", Kind::Bool),
    told("ip-masq", Kind::Bool),
    told("ip6tables", Kind::Bool),
    told("iptables", Kind::Bool),
    told("ipv6", Kind::Bool),
    keyed("label", "labels", Kind::List),
    told("live-restore", Kind::Bool),
    told("log-driver", Kind::Text),
    other("log-format", Kind::Text),
    short('l', told("log-level", Kind::Text)),
    keyed("log-opt", "log-opts", Kind::Map),
    other("max-concurrent-downloads", Kind::Number),
    other("max-concurrent-uploads", Kind::Number),
    other("max-download-attempts", Kind::Number),
    told("metrics-addr", Kind::Text),
    other("mtu", Kind::Number),
    other("network-control-plane-mtu", Kind::Number),
    other("network-diagnostic-port", Kind::Number),
    told("no-new-privileges", Kind::Bool),
    other("no-proxy", Kind::Text),
    other("node-generic-resource", Kind::List),
    other("oom-score-adjust", Kind::Number),
    short('p', told("pidfile", Kind::Text)),
    told("raw-logs", Kind::Bool),
    keyed("registry-mirror", "registry-mirrors", Kind::List),
    told("rootless", Kind::Bool),
    told("seccomp-profile", Kind::Text),
    told("selinux-enabled", Kind::Bool),
    other("shutdown-timeout", Kind::Number),
    short('s', told("storage-driver", Kind::Text)),
    keyed("storage-opt", "storage-opts", Kind::List),
    other("swarm-default-advertise-addr", Kind::Text),
    told("tls", Kind::Bool),
    told("tlscacert", Kind::Text),
    told("tlscert", Kind::Text),
    told("tlskey", Kind::Text),
    told("tlsverify", Kind::Bool),
    told("userland-proxy", Kind::Bool),
    other("userland-proxy-path", Kind::Text),
    told("userns-remap", Kind::Text),
    other("validate", Kind::Bool),
    short('v', other("version", Kind::Bool)),
];
