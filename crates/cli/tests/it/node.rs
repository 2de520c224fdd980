//! `seareeve k8s --node` on made-up machines, against a table that a person wrote: `node/cis-kubernetes.txt`.
//!
//! The machines are folders: a control plane as kubeadm makes it and a careful person hardens it, the same one where
//! everything is wrong, and a worker.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Home, Run};

const TABLE: &str = include_str!("node/cis-kubernetes.txt");
const AUTHORITY: &str = include_str!("node/ca.pem");
const ETCD_AUTHORITY: &str = include_str!("node/etcd-ca.pem");
/// Of `system:node:n1`.
const NODE: &str = include_str!("node/node.pem");
/// Of [`AUTHORITY`], as `openssl x509 -fingerprint -sha256` has it.
const FINGERPRINT: &str = "95018f5c1cf1b57c5eafa2a7d2aa91a0aa222f8f34dc142cd58f59f95a2e0b36";

/// What is wrong with a machine, if anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Good,
    Bad,
}

/// A machine that is a folder.
struct Machine {
    home: Home,
    care: Care,
}

impl Machine {
    fn new(care: Care) -> Self {
        let machine = Self {
            home: Home::new(),
            care,
        };
        machine.file(
            "etc/passwd",
            0o644,
            "root:x:0:0::/root:/bin/sh\netcd:x:998:998::/:\n",
        );
        machine.file("etc/group", 0o644, "root:x:0:\netcd:x:998:\n");
        machine.file("etc/machine-id", 0o444, "4f2a\n");
        machine.file("proc/sys/kernel/hostname", 0o444, "N1.example\n");
        machine.process(1, "1", &["/sbin/init"]);
        machine
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("machine")
    }

    /// A file that has `mode` where care was taken, and is everybody's where none was.
    fn file(&self, path: &str, mode: u32, content: &str) {
        let place = self.root().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, content).unwrap();
        self.belongs(path, mode, 0);
    }

    fn belongs(&self, path: &str, mode: u32, user: u32) {
        let place = self.root().join(path);
        let is_ours = path.starts_with("etc/kubernetes")
            || path.starts_with("var/lib")
            || path.starts_with("etc/cni")
            || path.starts_with("etc/systemd");
        let (mode, user) = match self.care {
            Care::Bad if is_ours => (0o777, 1000),
            Care::Good | Care::Bad => (mode, user),
        };
        fs::set_permissions(&place, Permissions::from_mode(mode)).unwrap();
        chown(&place, Some(user), Some(user)).unwrap();
    }

    /// A process in the mount namespace `space`. It sees the whole machine at the same places.
    fn process(&self, pid: u32, space: &str, command: &[&str]) {
        let own = self.root().join(format!("proc/{pid}"));
        fs::create_dir_all(own.join("ns")).unwrap();
        fs::write(own.join("cmdline"), format!("{}\0", command.join("\0"))).unwrap();
        fs::write(own.join("comm"), command[0].rsplit('/').next().unwrap()).unwrap();
        symlink(format!("mnt:[{space}]"), own.join("ns/mnt")).unwrap();
        symlink("../..", own.join("root")).unwrap();
        let machine = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";
        let container = "9 0 0:50 / / rw - overlay overlay rw\n\
            10 9 8:1 /etc/kubernetes /etc/kubernetes ro - ext4 /dev/sda1 rw\n\
            11 9 8:1 /var/lib/etcd /var/lib/etcd rw - ext4 /dev/sda1 rw\n\
            12 9 8:1 /var/lib/kubelet/pods/p/volumes/kubernetes.io~configmap/kube-proxy /var/lib/kube-proxy rw - ext4 /dev/sda1 rw\n";
        let mounts = if space == "1" { machine } else { container };
        fs::write(own.join("mountinfo"), mounts).unwrap();
    }

    /// A component in a static pod, running.
    fn pod(&self, pid: u32, name: &str, arguments: &str) {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let command: Vec<&str> = [&[name][..], &arguments].concat();
        let manifest = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"hostNetwork": true, "containers": [{"name": name, "command": command}]},
        });
        let path = format!("etc/kubernetes/manifests/{name}.yaml");
        self.file(&path, 0o600, &manifest.to_string());
        self.process(pid, &pid.to_string(), &command);
    }

    fn run(&self, more: &[&str]) -> Run {
        let root = self.root().display().to_string();
        let arguments = ["k8s", "--node", "--root", &root, "--format", "json"];
        self.home.run(&[&arguments[..], more].concat())
    }

    /// The facts of one kind.
    fn facts(&self, kind: &str) -> Vec<Value> {
        let run = self.run(&["--save-facts", "facts.json"]);
        assert!([0, 3].contains(&run.code), "{}", run.err);
        let text = fs::read_to_string(self.home.path().join("facts.json")).unwrap();
        let facts: Value = serde_json::from_str(&text).unwrap();
        let items = facts["facts"][kind]["items"].as_array().unwrap();
        items.iter().map(|item| item["data"].clone()).collect()
    }
}

/// The parts that every node has.
fn node(care: Care) -> Machine {
    let machine = Machine::new(care);
    let is_good = care == Care::Good;
    machine.file("etc/kubernetes/pki/ca.crt", 0o644, AUTHORITY);
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {
            "server": "https://10.0.0.10:6443", "certificate-authority": "/etc/kubernetes/pki/ca.crt",
        }}],
        "users": [{"name": "u", "user": {
            "client-certificate": "/var/lib/kubelet/pki/kubelet-client-current.pem",
            "client-key": "/var/lib/kubelet/pki/kubelet-client-current.pem",
        }}],
    });
    machine.file(
        "etc/kubernetes/kubelet.conf",
        0o600,
        &kubeconfig.to_string(),
    );
    machine.file(
        "var/lib/kubelet/pki/kubelet-client-current.pem",
        0o600,
        NODE,
    );
    machine.file("etc/systemd/system/kubelet.service", 0o600, "[Service]\n");
    machine.file(
        "etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        0o600,
        "[Service]\n",
    );
    machine.file("etc/cni/net.d/10-net.conflist", 0o600, "{}");
    machine.file("var/lib/cni/networks/net/10.0.0.7", 0o600, "id");
    let careful = "authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, \
         x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}\nauthorization: {mode: Webhook}\n\
         readOnlyPort: 0\nstreamingConnectionIdleTimeout: 5m\nmakeIPTablesUtilChains: true\n\
         eventRecordQPS: 50\nserverTLSBootstrap: true\nrotateCertificates: true\npodPidsLimit: 4096\n\
         seccompDefault: true\nstaticPodPath: /etc/kubernetes/manifests\n\
         tlsCipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\nfeatureGates: {RotateKubeletServerCertificate: true}\n";
    let careless = "authentication: {anonymous: {enabled: true}}\nauthorization: {mode: AlwaysAllow}\n\
         readOnlyPort: 10255\nmakeIPTablesUtilChains: false\neventRecordQPS: 1\n\
         rotateCertificates: false\nstaticPodPath: /etc/kubernetes/manifests\n\
         tlsCipherSuites: [TLS_RSA_WITH_RC4_128_SHA]\nfeatureGates: {RotateKubeletServerCertificate: false}\n";
    let config = if is_good { careful } else { careless };
    machine.file("var/lib/kubelet/config.yaml", 0o600, config);
    let kubelet = [
        "/usr/bin/kubelet",
        "--kubeconfig=/etc/kubernetes/kubelet.conf",
        "--config=/var/lib/kubelet/config.yaml",
        "--hostname-override=n1",
        "--streaming-connection-idle-timeout=0",
    ];
    let given = if is_good { &kubelet[..3] } else { &kubelet[..] };
    machine.process(10, "1", given);
    let volume = "var/lib/kubelet/pods/p/volumes/kubernetes.io~configmap/kube-proxy";
    let metrics = if is_good {
        "127.0.0.1:10249"
    } else {
        "0.0.0.0:10249"
    };
    let config = format!(
        "metricsBindAddress: {metrics}\nclientConnection: {{kubeconfig: /var/lib/kube-proxy/kubeconfig.conf}}\n"
    );
    machine.file(&format!("{volume}/kubeconfig.conf"), 0o600, "{}");
    // As its container sees it.
    machine.file("var/lib/kube-proxy/config.conf", 0o600, &config);
    machine.process(
        50,
        "50",
        &[
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
        ],
    );
    machine
}

/// The flags that kubeadm gives the API server, and needs.
const SERVER: &str = "--advertise-address=10.0.0.10 --allow-privileged=true --etcd-servers=https://127.0.0.1:2379 \
     --service-account-issuer=https://kubernetes.default.svc.cluster.local --secure-port=6443 \
     --service-account-signing-key-file=/etc/kubernetes/pki/sa.key --service-cluster-ip-range=10.96.0.0/12";

fn control_plane(care: Care) -> Machine {
    let machine = node(care);
    let is_good = care == Care::Good;
    let pki = "etc/kubernetes/pki";
    let key = format!(
        "-----BEGIN {0} KEY-----\nAA==\n-----END {0} KEY-----\n",
        "PRIVATE"
    );
    for name in [
        "apiserver",
        "apiserver-kubelet-client",
        "apiserver-etcd-client",
        "etcd/server",
        "etcd/peer",
    ] {
        machine.file(&format!("{pki}/{name}.crt"), 0o644, NODE);
        machine.file(&format!("{pki}/{name}.key"), 0o600, &key);
    }
    machine.file(&format!("{pki}/etcd/ca.crt"), 0o644, ETCD_AUTHORITY);
    machine.file(&format!("{pki}/sa.key"), 0o600, &key);
    machine.file(
        &format!("{pki}/sa.pub"),
        0o644,
        "-----BEGIN PUBLIC KEY-----\n",
    );
    for folder in [pki, "etc/kubernetes/pki/etcd"] {
        machine.belongs(folder, 0o755, 0);
    }
    for name in ["admin", "super-admin", "scheduler", "controller-manager"] {
        machine.file(&format!("etc/kubernetes/{name}.conf"), 0o600, "{}");
    }
    machine.file("var/lib/etcd/member/x", 0o600, "");
    machine.belongs("var/lib/etcd", 0o700, 998);
    let provider = if is_good { "aescbc" } else { "identity" };
    machine.file(
        "etc/kubernetes/enc.yaml",
        0o600,
        &format!(
            "kind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - {provider}: {{keys: [{{name: k, secret: hunter2hunter2}}]}}\n"
        ),
    );
    machine.file(
        "etc/kubernetes/audit.yaml",
        0o600,
        if is_good {
            "kind: Policy\nrules: [{level: None, users: ['system:kube-proxy']}, {level: Metadata}]\n"
        } else {
            "kind: Policy\nrules: [{level: None}]\n"
        },
    );
    let careful = "--anonymous-auth=false --authorization-mode=Node,RBAC --client-ca-file=/etc/kubernetes/pki/ca.crt \
        --enable-admission-plugins=NodeRestriction,AlwaysPullImages,EventRateLimit,DenyServiceExternalIPs \
        --enable-bootstrap-token-auth=false --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt \
        --etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt --etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key \
        --kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt \
        --kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt \
        --kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key --profiling=false \
        --audit-log-path=/var/log/audit.log --audit-log-maxage=30 --audit-log-maxbackup=10 --audit-log-maxsize=100 \
        --audit-policy-file=/etc/kubernetes/audit.yaml --encryption-provider-config=/etc/kubernetes/enc.yaml \
        --service-account-lookup=true --service-account-key-file=/etc/kubernetes/pki/sa.pub \
        --tls-cert-file=/etc/kubernetes/pki/apiserver.crt --tls-private-key-file=/etc/kubernetes/pki/apiserver.key \
        --tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 --service-account-extend-token-expiration=false";
    let careless = "--authorization-mode=AlwaysAllow --token-auth-file=/etc/kubernetes/tokens \
        --enable-admission-plugins=AlwaysAdmit --disable-admission-plugins=ServiceAccount,NamespaceLifecycle,NodeRestriction \
        --enable-bootstrap-token-auth=true --request-timeout=1h --service-account-lookup=false \
        --encryption-provider-config=/etc/kubernetes/enc.yaml --audit-policy-file=/etc/kubernetes/audit.yaml \
        --tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA";
    let own = if is_good { careful } else { careless };
    machine.pod(20, "kube-apiserver", &format!("{SERVER} {own}"));
    let own = if is_good {
        "--bind-address=127.0.0.1 --profiling=false --terminated-pod-gc-threshold=1000 \
         --use-service-account-credentials=true --root-ca-file=/etc/kubernetes/pki/ca.crt \
         --service-account-private-key-file=/etc/kubernetes/pki/sa.key --feature-gates=RotateKubeletServerCertificate=true"
    } else {
        "--bind-address=0.0.0.0 --terminated-pod-gc-threshold=0 --feature-gates=RotateKubeletServerCertificate=false"
    };
    let own = format!("--kubeconfig=/etc/kubernetes/controller-manager.conf {own}");
    machine.pod(21, "kube-controller-manager", &own);
    let own = match is_good {
        true => "--bind-address=127.0.0.1 --profiling=false",
        false => "--bind-address=0.0.0.0",
    };
    let own = format!("--kubeconfig=/etc/kubernetes/scheduler.conf {own}");
    machine.pod(22, "kube-scheduler", &own);
    let own = if is_good {
        "--cert-file=/etc/kubernetes/pki/etcd/server.crt --key-file=/etc/kubernetes/pki/etcd/server.key \
         --client-cert-auth=true --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt \
         --peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt --peer-key-file=/etc/kubernetes/pki/etcd/peer.key \
         --peer-client-cert-auth=true --peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt"
    } else {
        "--auto-tls=true --peer-auto-tls=true"
    };
    machine.pod(23, "etcd", &format!("--data-dir=/var/lib/etcd {own}"));
    machine
}

/// The controls of sections 1 to 4, and what each is called.
fn verdicts(machine: &Machine) -> BTreeMap<String, String> {
    let run = machine.run(&[]);
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    let controls = report["controls"].as_array().unwrap().iter();
    let controls = controls.map(|control| {
        let word = match control["status"].as_str().unwrap() {
            "not_applicable" => "n/a",
            "not_collected" => "unknown",
            "needs_review" => "review",
            other => other,
        };
        (control["id"].as_str().unwrap().to_owned(), word.to_owned())
    });
    controls.filter(|(id, _)| !id.starts_with('5')).collect()
}

#[test]
fn nodes_are_judged_as_the_table_says() {
    let machines = [
        control_plane(Care::Good),
        control_plane(Care::Bad),
        node(Care::Good),
    ];
    let found = machines.each_ref().map(verdicts);
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let rows: BTreeMap<&str, Vec<&str>> = lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect();
    let mut wrong = Vec::new();
    for (column, found) in found.iter().enumerate() {
        let named: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(named, Vec::from_iter(rows.keys().copied()));
        for (id, is) in found {
            let wanted = rows[id.as_str()][column];
            if is != wanted {
                wrong.push(format!("{id} of machine {column} is {is}, not {wanted}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_node_says_which_cluster_it_is_of_and_no_keys() {
    let machine = control_plane(Care::Good);
    let membership = machine.facts("kubernetes.membership");
    assert_eq!(
        membership,
        [json!({
            "node": "n1", "node_from": "certificate", "api_server": "https://10.0.0.10:6443",
            "authorities": [FINGERPRINT],
            "components": ["etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"],
        })]
    );
    let server = machine.facts("kubernetes.kube-apiserver");
    assert_eq!(
        server[0]["encryption"],
        json!({
            "path": "/etc/kubernetes/enc.yaml", "status": "ok",
            "resources": [{"resources": ["secrets"], "providers": ["aescbc"]}],
        })
    );
    let text = fs::read_to_string(machine.home.path().join("facts.json")).unwrap();
    assert!(!text.contains("hunter2"));
    assert!(!text.contains("BEGIN"));
    let files = machine.facts("kubernetes.node-file");
    let role = |role: &str| {
        let found = files.iter().filter(|file| file["role"] == role);
        found.collect::<Vec<_>>()
    };
    // What a container mounts is told by its place on the machine.
    assert_eq!(
        role("kubeconfig.kube-proxy")[0]["path"],
        "/var/lib/kubelet/pods/p/volumes/kubernetes.io~configmap/kube-proxy/kubeconfig.conf"
    );
    let authority = role("kubelet.client-ca")[0];
    assert_eq!(authority["public_keys"].as_array().unwrap().len(), 1);
    assert!(
        authority["certificates"][0]["expires_days"]
            .as_i64()
            .unwrap()
            > 30_000
    );
    let folders: Vec<&Value> = role("pki.folder")
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(folders, ["/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd"]);
    assert_eq!(role("pki.key").len(), 6);
}

#[test]
fn a_machine_that_is_no_node_is_told_so() {
    let machine = Machine::new(Care::Good);
    let run = machine.run(&[]);
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("this machine is no node of a cluster"),
        "{}",
        run.err
    );
}
