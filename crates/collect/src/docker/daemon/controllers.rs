//! Local users who can give an engine orders, which for one that runs as root is to be root.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use super::Daemon;
use crate::docker::engine::HostView;

/// Everybody on the machine.
const EVERYBODY: &str = "*";

/// Each with the ways there are.
pub(super) fn told(daemon: &Daemon<'_>, host: &HostView<'_>) -> Value {
    let mut ways: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |name: &str, way: String| {
        ways.entry(name.to_owned()).or_default().insert(way);
    };
    let accounts = host.accounts;
    for path in daemon.hosts.iter().filter_map(|host| host.path.as_ref()) {
        let Ok((_, metadata)) = host.root.metadata(path) else {
            continue;
        };
        let name = accounts.user_name(metadata.uid()).map(str::to_owned);
        let name = name.unwrap_or_else(|| metadata.uid().to_string());
        add(&name, "socket owner".to_owned());
        // Connecting wants the right to write (unix(7)).
        if metadata.mode() & 0o020 != 0 {
            let groups = accounts.groups.iter();
            for group in groups.filter(|group| group.gid == metadata.gid()) {
                for member in &group.members {
                    let is_primary = accounts
                        .users
                        .iter()
                        .any(|user| user.name == *member && user.gid == group.gid);
                    let primary = if is_primary { "primary " } else { "" };
                    add(member, format!("{primary}group {}", group.name));
                }
            }
        }
        if metadata.mode() & 0o002 != 0 {
            add(EVERYBODY, "everybody".to_owned());
        }
    }
    let sudoers = host
        .sudoers
        .iter()
        .filter(|sudoer| !sudoer.root_by.is_empty());
    for sudoer in sudoers {
        if !sudoer.is_group {
            let name = if sudoer.name == "ALL" {
                EVERYBODY
            } else {
                &sudoer.name
            };
            add(name, "sudo".to_owned());
            continue;
        }
        let group = accounts.group(&sudoer.name);
        for member in group.into_iter().flat_map(|group| &group.members) {
            add(member, "sudo".to_owned());
        }
    }
    let is_root = |name: &str| {
        let user = accounts.users.iter().find(|user| user.name == name);
        user.map_or(name == "root" || name == "0", |user| user.uid == 0)
    };
    ways.into_iter()
        .filter(|(name, _)| !is_root(name))
        .map(|(name, via)| json!({"name": name, "via": via}))
        .collect()
}
