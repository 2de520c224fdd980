//! Secrets, config maps and namespaces: never what a secret holds, only what kind it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Aspect, Portrait, items, texts};
use crate::json::Node;

/// The labels by which Pod Security Admission judges.
const POD_SECURITY: &str = "pod-security.kubernetes.io/";

impl Portrait {
    pub(super) fn secret(&mut self, secret: Node<'_>) {
        self.push_some(Aspect::SecretType, secret.get("type"));
        let of = secret.path(&["metadata", "annotations"]);
        let of = of.and_then(|annotations| annotations.get("kubernetes.io/service-account.name"));
        self.push_some(Aspect::TokenOf, of);
    }

    pub(super) fn config_map(&mut self, map: Node<'_>) {
        for (key, value) in texts(map.get("data")) {
            if holds_credential(&key, &value) {
                self.push(Aspect::Credential, &key);
            }
            for danger in postgres(&value) {
                self.push(Aspect::Danger, danger);
            }
            self.push(Aspect::Key, key);
        }
        for (key, value) in texts(map.get("binaryData")) {
            let bytes = STANDARD.decode(value).unwrap_or_default();
            if holds_credential(&key, &String::from_utf8_lossy(&bytes)) {
                self.push(Aspect::Credential, &key);
            }
            self.push(Aspect::Key, key);
        }
    }

    /// What a pod security policy (before Kubernetes 1.25) lets pods have of their nodes.
    pub(super) fn pod_security_policy(&mut self, policy: Node<'_>) {
        let Some(spec) = policy.get("spec") else {
            return;
        };
        for (key, danger) in [
            ("privileged", "privileged"),
            ("hostPID", "host-pid"),
            ("hostIPC", "host-pid"),
            ("hostNetwork", "host-network"),
        ] {
            if spec.get(key).is_some_and(Node::is_true) {
                self.push(Aspect::Danger, danger);
            }
        }
        for (list, danger) in [
            ("allowedCapabilities", "capabilities"),
            ("volumes", "host-path"),
        ] {
            let has = |what: &str| {
                items(spec.get(list)).any(|one| one.str().is_some_and(|one| one == what))
            };
            if has("*") || has("hostPath") && items(spec.get("allowedHostPaths")).next().is_none() {
                self.push(Aspect::Danger, danger);
            }
        }
    }

    pub(super) fn namespace(&mut self, namespace: Node<'_>) {
        for (key, value) in texts(namespace.path(&["metadata", "labels"])) {
            if let Some(mode) = key.strip_prefix(POD_SECURITY) {
                self.push(Aspect::Guard, format!("{mode}={value}"));
            }
        }
    }
}

/// The modes of Pod Security that a patch takes from a namespace.
pub(crate) fn guards_removed_by(patch: Node<'_>) -> Vec<String> {
    let merged = patch.path(&["metadata", "labels"]);
    let merged = merged.into_iter().flat_map(Node::members);
    let merged = merged.filter_map(|(key, value)| {
        let key = key.decode();
        let mode = key.strip_prefix(POD_SECURITY)?;
        value.is_null().then(|| mode.to_owned())
    });
    let operations = items(Some(patch)).filter_map(|operation| {
        let is_removal = operation.get("op")?.text()?.is("remove");
        let path = operation.get("path")?.str()?;
        if is_removal && matches!(path.as_ref(), "/metadata/labels") {
            return Some("enforce".to_owned());
        }
        let escaped = path.strip_prefix("/metadata/labels/pod-security.kubernetes.io~1")?;
        is_removal.then(|| escaped.to_owned())
    });
    merged.chain(operations).collect()
}

/// Whether a value of a config map is a credential: it is called so, or looks so, line by line.
pub(super) fn holds_credential(key: &str, value: &str) -> bool {
    let is_value = !value.trim().is_empty() && !value.trim_start().starts_with(['$', '{', '<']);
    if is_value && !value.contains('\n') && seareeve_redact::is_credential_name(key) {
        return true;
    }
    value.lines().take(MAX_LINES).any(|line| {
        let (name, behind) = match line.split_once(['=', ':']) {
            Some((name, behind)) => (name.trim(), behind.trim()),
            None => ("", line.trim()),
        };
        let is_assignment = !behind.is_empty()
            && !behind.starts_with(['$', '{', '<', '|', '>'])
            && !name.contains(char::is_whitespace)
            && seareeve_redact::is_credential_name(name);
        is_assignment
            || seareeve_redact::has_credential_form(line)
            || seareeve_redact::text(line) != line
    })
}

/// Most lines of one value that are looked at.
const MAX_LINES: usize = 10_000;

/// What a `pg_hba.conf` gives away: connections without password, and from anywhere.
fn postgres(value: &str) -> Vec<&'static str> {
    let mut dangers = Vec::new();
    for line in value.lines().take(MAX_LINES) {
        let words: Vec<&str> = line.split_whitespace().take(8).collect();
        // host database user address [mask] method [options]
        let [kind, _, _, address, rest @ ..] = words.as_slice() else {
            continue;
        };
        if !matches!(
            *kind,
            "host" | "hostssl" | "hostnossl" | "hostgssenc" | "hostnogssenc"
        ) {
            continue;
        }
        let is_any = matches!(*address, "all" | "0.0.0.0/0" | "::/0" | "::0/0")
            || (*address == "0.0.0.0" && rest.first() == Some(&"0.0.0.0"));
        let is_local = address.starts_with("127.") || *address == "::1/128";
        if rest.iter().take(2).any(|word| *word == "trust") && !is_local {
            dangers.push("postgres-trust");
        }
        if is_any {
            dangers.push("postgres-any-address");
        }
    }
    dangers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_from_settings() {
        for (key, value) in [
            ("password", "hunter2"),
            ("app.env", "A=b\nAWS_SECRET_ACCESS_KEY=xyz\n"),
            ("application.yaml", "db:\n  password: hunter2\n"),
            ("url", "postgres://u:p@db/x"),
            ("key.pem", "-----BEGIN RSA PRIVATE KEY-----\n"),
        ] {
            assert!(holds_credential(key, value), "{key}");
        }
        for (key, value) in [
            ("a", "b"),
            ("password", ""),
            ("password", "${PASSWORD}"),
            ("application.yaml", "db:\n  password: ${DB_PASSWORD}\n"),
            ("passwordFile", "/run/x"),
            ("nginx.conf", "server { listen 80; }"),
        ] {
            assert!(!holds_credential(key, value), "{key}");
        }
    }

    #[test]
    fn postgres_says_whom_it_trusts() {
        assert_eq!(
            postgres("local all all trust\nhost all all 127.0.0.1/32 trust"),
            [""; 0]
        );
        assert_eq!(
            postgres("host all all 10.0.0.0/8 trust\nhost all all 0.0.0.0/0 md5"),
            ["postgres-trust", "postgres-any-address"]
        );
        assert_eq!(
            postgres("hostssl all all 0.0.0.0 0.0.0.0 scram-sha-256"),
            ["postgres-any-address"]
        );
    }
}
