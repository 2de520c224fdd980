//! Facts that somebody saved or sent, judged by our own checks and benchmarks.

use std::sync::LazyLock;

use seareeve_model::Snapshot;
use seareeve_posture::{Library, Statements};

use super::checks::judged;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "facts",
    run,
    longest: 24 << 10,
    seeds: || made::seeds("facts"),
    words: &[
        "\"schema\":\"seareeve.facts/1\"",
        "\"asset_kind\":\"docker-host\"",
        "\"facts\":{\"docker.container\":{\"status\":\"ok\",\"source\":\"a\",\"items\":[]}}",
        "\"status\":\"absent\"",
        "\"status\":\"denied\"",
        "\"docker.daemon\"",
        "\"docker.image\"",
        "\"docker.network\"",
        "\"docker.swarm\"",
        "\"host\"",
        "\"host.file\"",
        "\"host.sudoer\"",
        "\"image.scan\"",
        "{\"id\":\"a\",\"name\":\"b\",\"data\":{}}",
        "\"engine\":\"e1\"",
        "\"effective\":{\"hosts\":{\"value\":[],\"source\":\"flag\"}}",
        "\"HostConfig\":{\"Privileged\":true}",
        "\"mounts\":[{\"host_path\":\"/etc\",\"rw\":true}]",
        "\"history\":[{\"instruction\":\"RUN\",\"text\":\"apt-get update\"}]",
        "\"role\":\"docker.socket\"",
        "\"mode_bits\":438",
        "\"managed\":{\"is\":true}",
        "18446744073709551616",
    ],
};

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::builtin);

fn run(input: &[u8]) {
    if let Ok(snapshot) = serde_json::from_slice::<Snapshot>(input) {
        judged(&LIBRARY, &snapshot, &Statements::default());
    }
}
