//! The Pod Security Standards as expressions over `spec` (a pod's spec), `cs` (all its containers) and `ann` (its
//! annotations): what this crate is written for. The benchmark measures the same.

/// Every rule's name and expression.
pub(crate) const RULES: &[(&str, &str)] = &[
    ("privileged", "cs.all(c, !c.?securityContext.?privileged.orValue(false))"),
    (
        "hostNamespaces",
        "!spec.?hostNetwork.orValue(false) && !spec.?hostPID.orValue(false) && !spec.?hostIPC.orValue(false)",
    ),
    ("hostPathVolumes", "spec.?volumes.orValue([]).all(v, !has(v.hostPath))"),
    ("hostPorts", "cs.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))"),
    (
        "capabilities_baseline",
        "cs.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(x, x in ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']))",
    ),
    (
        "appArmorProfile",
        "([spec] + cs).all(c, c.?securityContext.?appArmorProfile.?type.orValue('RuntimeDefault') in ['RuntimeDefault', 'Localhost'])
            && ann.all(k, !k.startsWith('container.apparmor.security.beta.kubernetes.io/') || ann[k] in ['', 'runtime/default'] || ann[k].startsWith('localhost/'))",
    ),
    (
        "seLinuxOptions_1.0",
        "([spec] + cs).all(c, c.?securityContext.?seLinuxOptions.?type.orValue('') in ['', 'container_t', 'container_init_t', 'container_kvm_t'] && c.?securityContext.?seLinuxOptions.?user.orValue('') == '' && c.?securityContext.?seLinuxOptions.?role.orValue('') == '')",
    ),
    (
        "seLinuxOptions_1.31",
        "([spec] + cs).all(c, c.?securityContext.?seLinuxOptions.?type.orValue('') in ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'] && c.?securityContext.?seLinuxOptions.?user.orValue('') == '' && c.?securityContext.?seLinuxOptions.?role.orValue('') == '')",
    ),
    ("procMount_1.0", "cs.all(c, c.?securityContext.?procMount.orValue('Default') == 'Default')"),
    (
        "procMount_1.35",
        "!spec.?hostUsers.orValue(true) || cs.all(c, c.?securityContext.?procMount.orValue('Default') == 'Default')",
    ),
    (
        "seccompProfile_baseline_1.0",
        "ann.all(k, !(k == 'seccomp.security.alpha.kubernetes.io/pod' || k.startsWith('container.seccomp.security.alpha.kubernetes.io/')) || ann[k] in ['runtime/default', 'docker/default'] || ann[k].startsWith('localhost/'))",
    ),
    (
        "seccompProfile_baseline_1.19",
        "([spec] + cs).all(c, c.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault') in ['RuntimeDefault', 'Localhost'])",
    ),
    (
        "sysctls_1.0",
        "spec.?securityContext.?sysctls.orValue([]).all(s, s.name in ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'])",
    ),
    (
        "sysctls_1.27",
        "spec.?securityContext.?sysctls.orValue([]).all(s, s.name in ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports'])",
    ),
    (
        "sysctls_1.29",
        "spec.?securityContext.?sysctls.orValue([]).all(s, s.name in ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes'])",
    ),
    (
        "windowsHostProcess",
        "([spec] + cs).all(c, !c.?securityContext.?windowsOptions.?hostProcess.orValue(false))",
    ),
    (
        "hostProbesAndHostLifecycle",
        "cs.all(c, [c.?livenessProbe, c.?readinessProbe, c.?startupProbe, c.?lifecycle.?postStart, c.?lifecycle.?preStop].all(p, p.?httpGet.?host.orValue('') == '' && p.?tcpSocket.?host.orValue('') == ''))",
    ),
    (
        "restrictedVolumes",
        "spec.?volumes.orValue([]).all(v, v.all(k, k in ['name', 'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret']))",
    ),
    (
        "runAsNonRoot_1.0",
        "spec.?securityContext.?runAsNonRoot.orValue(true) && cs.all(c, c.?securityContext.?runAsNonRoot.orValue(spec.?securityContext.?runAsNonRoot.orValue(false)))",
    ),
    (
        "runAsNonRoot_1.35",
        "!spec.?hostUsers.orValue(true) || spec.?securityContext.?runAsNonRoot.orValue(true) && cs.all(c, c.?securityContext.?runAsNonRoot.orValue(spec.?securityContext.?runAsNonRoot.orValue(false)))",
    ),
    ("runAsUser_1.23", "([spec] + cs).all(c, c.?securityContext.?runAsUser.orValue(1) != 0)"),
    (
        "runAsUser_1.35",
        "!spec.?hostUsers.orValue(true) || ([spec] + cs).all(c, c.?securityContext.?runAsUser.orValue(1) != 0)",
    ),
    (
        "allowPrivilegeEscalation_1.8",
        "cs.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)",
    ),
    (
        "allowPrivilegeEscalation_1.25",
        "spec.?os.?name.orValue('') == 'windows' || cs.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)",
    ),
    (
        "seccompProfile_restricted_1.19",
        "spec.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault') in ['RuntimeDefault', 'Localhost'] && cs.all(c, c.?securityContext.?seccompProfile.?type.orValue(spec.?securityContext.?seccompProfile.?type.orValue('')) in ['RuntimeDefault', 'Localhost'])",
    ),
    (
        "seccompProfile_restricted_1.25",
        "spec.?os.?name.orValue('') == 'windows' || spec.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault') in ['RuntimeDefault', 'Localhost'] && cs.all(c, c.?securityContext.?seccompProfile.?type.orValue(spec.?securityContext.?seccompProfile.?type.orValue('')) in ['RuntimeDefault', 'Localhost'])",
    ),
    (
        "capabilities_restricted_1.22",
        "cs.all(c, 'ALL' in c.?securityContext.?capabilities.?drop.orValue([]) && c.?securityContext.?capabilities.?add.orValue([]).all(x, x == 'NET_BIND_SERVICE'))",
    ),
    (
        "capabilities_restricted_1.25",
        "spec.?os.?name.orValue('') == 'windows' || cs.all(c, 'ALL' in c.?securityContext.?capabilities.?drop.orValue([]) && c.?securityContext.?capabilities.?add.orValue([]).all(x, x == 'NET_BIND_SERVICE'))",
    ),
    (
        "offenders_privileged",
        "cs.filter(c, c.?securityContext.?privileged.orValue(false)).map(c, c.name)",
    ),
    (
        "offenders_volumes",
        "spec.?volumes.orValue([]).filter(v, has(v.hostPath) && (v.hostPath.path + '/').startsWith('/var/run/')).map(v, v.name)",
    ),
];

/// A pod like many: two containers and what surrounds them. It keeps to every rule.
pub(crate) const POD: &str = r#"{
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
        "name": "web-7d4b9c6f5-x2x7k", "namespace": "shop", "uid": "6f2c1f0e-0d5f-4f0e-9b59-0f4f8c5b1c11",
        "labels": {"app.kubernetes.io/name": "web", "pod-template-hash": "7d4b9c6f5"},
        "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9090"}
    },
    "spec": {
        "serviceAccountName": "web", "automountServiceAccountToken": false, "nodeName": "node-3",
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 1000, "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
            "sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]
        },
        "initContainers": [{
            "name": "migrate", "image": "registry.example/shop/migrate:1.4.2", "args": ["up"],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
        }],
        "containers": [
            {
                "name": "web", "image": "registry.example/shop/web:1.4.2",
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "env": [{"name": "LOG", "value": "info"}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
                "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 10},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "config", "mountPath": "/etc/web", "readOnly": true}],
                "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
            },
            {
                "name": "metrics", "image": "registry.example/shop/metrics:0.9",
                "ports": [{"containerPort": 9090}],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "config", "configMap": {"name": "web"}}]
    }
}"#;
