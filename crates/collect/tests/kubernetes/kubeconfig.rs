//! Kubeconfigs, and the credentials that they lead to.

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_collect::kubernetes::{Cluster, Connection, Credentials, Limits};

use crate::read::empty;

/// Files in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            std::fs::write(folder.path(name), content).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.0.path()).unwrap().join(name)
    }

    fn connection(&self, context: Option<&str>) -> Result<Connection, String> {
        let files = ["none", "one", "two"].map(|name| self.path(name));
        Connection::from_kubeconfig(&files, context).map_err(|error| error.to_string())
    }
}

const ONE: &str = "
apiVersion: v1
kind: Config
current-context: ''
clusters:
- name: c
  cluster: {server: 'https://one.example:6443/', certificate-authority: ca.pem, tls-server-name: inner, proxy-url: 'http://proxy:3128'}
contexts:
- name: first
  context: {cluster: c, user: u, namespace: shop}
- name: dangling
  context: {cluster: gone, user: u}
users:
- name: u
  user: {token: abc, tokenFile: token, as: somebody, as-groups: [g]}
- name: old
  user: {auth-provider: {name: gcp}}
- name: talks
  user: {exec: {command: x, interactiveMode: Always}}
- name: broken
  user: {client-certificate-data: '%%%'}
";

const TWO: &str = "
current-context: second
clusters:
- name: c
  cluster: {server: 'https://shadowed.example'}
- name: d
  cluster: {server: 'https://two.example', insecure-skip-tls-verify: true}
contexts:
- {name: second, context: {cluster: d, user: basic}}
- {name: old, context: {cluster: d, user: old}}
- {name: talks, context: {cluster: d, user: talks}}
- {name: broken, context: {cluster: d, user: broken}}
- {name: nobody, context: {cluster: d}}
users:
- name: basic
  user: {username: name, password: p}
";

#[test]
fn contexts_of_several_files_are_joined_as_kubectl_does() {
    let files = Files::new(&[
        ("one", ONE),
        ("two", TWO),
        ("ca.pem", "PEM"),
        ("token", "fresh\n"),
    ]);
    let first = files.connection(Some("first")).unwrap();
    assert_eq!(first.server, "https://one.example:6443/");
    assert_eq!(first.authorities.as_deref(), Some(&b"PEM"[..]));
    assert_eq!(first.tls_server_name.as_deref(), Some("inner"));
    assert_eq!(first.proxy.as_deref(), Some("http://proxy:3128"));
    assert_eq!(
        first.act_as,
        Some(("somebody".to_owned(), vec!["g".to_owned()]))
    );
    assert!(
        matches!(&first.credentials, Credentials::TokenFile(path) if *path == files.path("token"))
    );
    assert!(!format!("{first:?}").contains("abc"));
    let second = files.connection(None).unwrap();
    assert_eq!(second.name, "second");
    assert!(second.skips_verification);
    assert!(matches!(&second.credentials, Credentials::Basic(name, _) if name == "name"));
    assert!(matches!(
        files.connection(Some("nobody")).unwrap().credentials,
        Credentials::None
    ));
    for (context, wanted) in [
        (
            "dangling",
            "the kubeconfig has no cluster gone; there are: c, d",
        ),
        (
            "other",
            "the kubeconfig has no context other; there are: broken, dangling, first, nobody, old, second, talks",
        ),
        (
            "old",
            "the user's auth-provider of the kubeconfig cannot be used: kubectl knows it no longer, either; a program under `exec` takes its place",
        ),
        (
            "talks",
            "the program x of the kubeconfig cannot be used: it wants to talk to somebody, and nobody may be there",
        ),
        (
            "broken",
            "the client certificate of the kubeconfig cannot be used: Invalid symbol 37, offset 0.",
        ),
    ] {
        assert_eq!(files.connection(Some(context)).unwrap_err(), wanted);
    }
    let none = Files::new(&[("one", "clusters: []")]);
    assert_eq!(
        none.connection(None).unwrap_err(),
        "no context is chosen; there are: "
    );
    let broken = Files::new(&[("one", "clusters: {")]);
    assert!(
        broken
            .connection(None)
            .unwrap_err()
            .contains("is no kubeconfig")
    );
}

#[test]
fn addresses_and_certificates_that_cannot_be_used_are_said() {
    let good = Connection {
        name: "x".to_owned(),
        server: "https://example.org".to_owned(),
        authorities: None,
        skips_verification: false,
        tls_server_name: None,
        proxy: None,
        credentials: Credentials::None,
        certificate: None,
        act_as: None,
    };
    let fails = |connection: Connection| match Cluster::new(&connection, Limits::default()) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    };
    for (server, why) in [
        ("", "it is no address"),
        ("example.org", "it has no scheme or no host"),
        (
            "http://example.org",
            "without TLS only this machine is asked",
        ),
        ("ftp://example.org", "its scheme is not https"),
    ] {
        let server = server.to_owned();
        let wanted = format!("{server} is no address of a Kubernetes API: {why}");
        assert_eq!(
            fails(Connection {
                server,
                ..good.clone()
            }),
            wanted
        );
    }
    let authorities = Some(b"nothing".to_vec());
    assert_eq!(
        fails(Connection {
            authorities,
            ..good.clone()
        }),
        "the certificate authority cannot be used: there is no certificate in PEM form"
    );
    let certificate = Some(seareeve_collect::kubernetes::ClientCertificate {
        chain: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        key: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec(),
    });
    assert!(
        fails(Connection {
            certificate,
            ..good
        })
        .starts_with("the client certificate cannot be used")
    );
}

#[cfg(unix)]
#[test]
fn programs_give_tokens_until_these_end() {
    use std::os::unix::fs::PermissionsExt as _;
    let fake = empty();
    let script = "#!/bin/sh\necho run >> \"$COUNT\"\n\
        test -n \"$KUBERNETES_EXEC_INFO\" || exit 3\n\
        echo '{\"status\": {\"token\": \"from-program\", \"expirationTimestamp\": \"2999-01-01T00:00:00Z\"}}'\n";
    let files = Files::new(&[
        ("program", script),
        ("fails", "#!/bin/sh\nexit 4\n"),
        ("count", ""),
    ]);
    for name in ["program", "fails"] {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(files.path(name), mode).unwrap();
    }
    let server = fake.connection().server;
    let config = |program: &str| {
        format!(
            "current-context: x\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
             contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
             users: [{{name: u, user: {{exec: {{command: ./{program}, env: [{{name: COUNT, value: '{}'}}], \
             provideClusterInfo: true, apiVersion: client.authentication.k8s.io/v1beta1}}}}}}]\n",
            files.path("count")
        )
    };
    std::fs::write(files.path("one"), config("program")).unwrap();
    let connection = files.connection(None).unwrap();
    let cluster = Cluster::new(&connection, Limits::default()).unwrap();
    cluster.read().unwrap();
    let seen = fake.requests();
    assert!(seen.len() > 10);
    assert!(
        seen.iter()
            .all(|(.., authorization)| authorization == "Bearer from-program")
    );
    assert_eq!(
        std::fs::read_to_string(files.path("count")).unwrap(),
        "run\n"
    );
    std::fs::write(files.path("one"), config("fails")).unwrap();
    let connection = files.connection(None).unwrap();
    let error = Cluster::new(&connection, Limits::default())
        .err()
        .unwrap()
        .to_string();
    assert!(error.ends_with("failed: exit status: 4"), "{error}");
}

#[test]
fn a_pods_own_credentials_are_read_anew_each_time() {
    let files = Files::new(&[("ca.crt", "PEM"), ("token", "one")]);
    let folder = files.path("");
    let inside = Connection::in_cluster(&folder, "fd00::1", 443).unwrap();
    assert_eq!(inside.server, "https://[fd00::1]:443");
    let fake = empty();
    let connection = Connection {
        server: fake.connection().server,
        authorities: None,
        ..inside
    };
    let cluster = Cluster::new(&connection, Limits::default()).unwrap();
    cluster.about().unwrap();
    std::fs::write(files.path("token"), "two\n").unwrap();
    cluster.about().unwrap();
    let tokens: Vec<String> = fake
        .requests()
        .into_iter()
        .map(|(.., authorization)| authorization)
        .collect();
    assert_eq!(
        tokens,
        ["Bearer one", "Bearer one", "Bearer two", "Bearer two"]
    );
}
