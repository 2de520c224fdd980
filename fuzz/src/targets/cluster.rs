//! A Kubernetes API that answers whatever it likes: its version, its groups, lists page by page, refusals.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use seareeve_collect::kubernetes::{Cluster, Connection, Credentials, Limits};
use seareeve_kubernetes::{Label, snapshot};

use super::docker_engine;
use crate::server::Server;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "cluster",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("cluster"),
    words: &[
        "\n====\n",
        "200",
        "401",
        "403",
        "404",
        "410",
        "429",
        "500",
        "\nretry-after: 0",
        "\ntransfer-encoding: chunked",
        "\ncontent-encoding: gzip",
        "\ncontent-length: 9223372036854775807",
        "{\"gitVersion\":\"v1.36.3\",\"platform\":\"linux/amd64\"}",
        "{\"groups\":[{\"name\":\"apps\"}]}",
        "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[",
        "\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"a\"}",
        "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"c\"},\"spec\":{",
        "\"items\":null",
        "{\"kind\":\"Status\",\"code\":410,\"message\":\"a\",\"reason\":\"Expired\"}",
        "\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"a\",\"uid\":\"u\",\"controller\":true}]",
        "\"containers\":[{\"name\":\"a\",\"image\":\"b\"}]",
        "\"rules\":[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]}]",
        "\"kubeletconfig\":{",
        "1e999",
    ],
};

static SERVER: LazyLock<Server> = LazyLock::new(Server::on_loopback);

fn run(input: &[u8]) {
    let server = &*SERVER;
    server.set(input);
    let connection = Connection {
        name: "fuzz".to_owned(),
        server: format!("http://{}", server.host),
        authorities: None,
        skips_verification: false,
        tls_server_name: None,
        proxy: None,
        credentials: Credentials::None,
        certificate: None,
        act_as: None,
    };
    let limits = Limits {
        silence: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        answer_bytes: 64 << 10,
        object_bytes: 16 << 10,
        objects: 100,
        page: 10,
        kept_bytes: 64 << 10,
        ..Limits::default()
    };
    let cluster = Cluster::new(&connection, limits).expect("loopback may be asked");
    match cluster.read() {
        Ok(state) => {
            let label = Label {
                asset_id: "a".to_owned(),
                asset_name: "a".to_owned(),
                collected_at: Timestamp::UNIX_EPOCH,
                collector: "fuzz".to_owned(),
                source: "a".to_owned(),
            };
            docker_engine::sound(&snapshot(&state, label));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
