//! The files by which kubectl finds clusters: two of them, and the client that they lead to. No program that they name is
//! run, and nobody is asked.

use seareeve_collect::kubernetes::{Cluster, Connection, Credentials, Limits};

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "kubeconfig",
    run,
    longest: 6 << 10,
    seeds: || made::seeds("kubeconfig"),
    words: &[
        "\n====\n",
        "apiVersion: v1\nkind: Config\n",
        "current-context: a\n",
        "clusters: [{name: a, cluster: {server: \"https://h:1\"}}]\n",
        "contexts: [{name: a, context: {cluster: a, user: a}}]\n",
        "users: [{name: a, user: {token: a}}]\n",
        "certificate-authority-data: \"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\"\n",
        "certificate-authority: /a\n",
        "client-certificate-data: a\n",
        "client-key-data: a\n",
        "insecure-skip-tls-verify: true\n",
        "tls-server-name: a\n",
        "proxy-url: http://a:1\n",
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: a, args: [b], env: [{name: a, value: b}]}\n",
        "auth-provider: {name: gcp}\n",
        "as: a\nas-groups: [b]\n",
        "username: a\npassword: b\n",
        "extensions: [{name: client.authentication.k8s.io/exec, extension: {}}]\n",
        "&a ",
        "*a",
        "<<: ",
    ],
};

fn run(input: &[u8]) {
    let files: Vec<_> = parts(input, MARK, 2)
        .into_iter()
        .map(made::temporary)
        .collect();
    let paths: Vec<_> = files.iter().map(|(_, path)| path.clone()).collect();
    for context in [None, Some("a")] {
        let mut connection = match Connection::from_kubeconfig(&paths, context) {
            Ok(connection) => connection,
            Err(why) => {
                assert!(!why.to_string().is_empty());
                continue;
            }
        };
        // A client asks whoever gives its credentials for a certificate.
        if matches!(connection.credentials, Credentials::Exec(_)) {
            connection.credentials = Credentials::None;
        }
        if let Err(why) = Cluster::new(&connection, Limits::default()) {
            assert!(!why.to_string().is_empty());
        }
    }
}
