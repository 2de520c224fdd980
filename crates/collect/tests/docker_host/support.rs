//! Looking into snapshots.

use seareeve_collect::docker_host::Options;
use seareeve_model::{Collection, Fact, FactKind, Snapshot};
use serde_json::Value;

pub(crate) fn options(socket: &std::path::Path) -> Options {
    Options {
        endpoints: vec![socket.to_str().unwrap().parse().unwrap()],
        ..Options::here("2027-01-01T00:00:00Z".parse().unwrap())
    }
}

pub(crate) fn kind<'a>(snapshot: &'a Snapshot, kind: &str) -> &'a Collection {
    &snapshot.facts[&FactKind::new(kind).unwrap()]
}

pub(crate) fn fact<'a>(snapshot: &'a Snapshot, of: &str, name: &str) -> &'a Value {
    let items = &kind(snapshot, of).items;
    let named: Vec<&Fact> = items.iter().filter(|item| item.name == name).collect();
    match named.as_slice() {
        [one] => &one.data,
        others => panic!("{} facts of {of} are named {name}", others.len()),
    }
}

pub(crate) fn only<'a>(snapshot: &'a Snapshot, of: &str) -> &'a Value {
    match kind(snapshot, of).items.as_slice() {
        [one] => &one.data,
        others => panic!("{} facts of {of}: {others:?}", others.len()),
    }
}

/// The file of this role.
pub(crate) fn file<'a>(snapshot: &'a Snapshot, role: &str) -> &'a Value {
    let items = kind(snapshot, "host.file").items.iter();
    let mut of_role = items.filter(|item| item.data["role"] == role);
    &of_role
        .next()
        .unwrap_or_else(|| panic!("there is no file for {role}"))
        .data
}
