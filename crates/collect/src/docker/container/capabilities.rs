//! What capabilities a container comes to (capabilities(7)).

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// By their numbers in the kernel.
const ALL: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What Docker gives unasked.
const DOCKER: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What Podman does not of these.
const NOT_PODMAN: &[&str] = &["AUDIT_WRITE", "MKNOD", "NET_RAW"];

/// The names of a mask.
pub(crate) fn names(mask: u64) -> Vec<&'static str> {
    let set = ALL
        .iter()
        .zip(0_u32..)
        .filter(|(_, bit)| mask & (1 << bit) != 0);
    let mut names: Vec<&str> = set.map(|(name, _)| *name).collect();
    names.sort_unstable();
    names
}

/// What is added, dropped, and given in the end, as the engines reckon (moby's `caps.TweakCapabilities`).
pub(super) fn told<'a>(
    added: impl Iterator<Item = &'a str>,
    dropped: impl Iterator<Item = &'a str>,
    is_privileged: bool,
    is_podman: bool,
) -> Value {
    let added: BTreeSet<String> = added.map(normal).collect();
    let dropped: BTreeSet<String> = dropped.map(normal).collect();
    let set = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let all = set(&["ALL"]);
    let granted = if is_privileged {
        all
    } else if added.contains("ALL") {
        if dropped.is_empty() {
            all
        } else {
            &set(ALL) - &dropped
        }
    } else if dropped.contains("ALL") {
        added.clone()
    } else {
        let mut unasked = set(DOCKER);
        if is_podman {
            unasked.retain(|name| !NOT_PODMAN.contains(&name.as_str()));
        }
        &(&unasked - &dropped) | &added
    };
    json!({"added": added, "dropped": dropped, "granted": granted})
}

fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_uppercase();
    name.strip_prefix("CAP_")
        .map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_come_to_what_the_engine_makes_of_them() {
        let granted = |added: &[&str], dropped: &[&str], is_privileged| -> Vec<String> {
            let told = told(
                added.iter().copied(),
                dropped.iter().copied(),
                is_privileged,
                false,
            );
            serde_json::from_value(told["granted"].clone()).unwrap()
        };
        assert_eq!(granted(&[], &[], false), DOCKER);
        assert_eq!(granted(&["sys_time"], &["all"], false), ["SYS_TIME"]);
        assert_eq!(granted(&["CAP_NET_ADMIN"], &["ALL"], false), ["NET_ADMIN"]);
        assert_eq!(granted(&["ALL"], &[], false), ["ALL"]);
        assert_eq!(
            granted(&["ALL"], &["SYS_ADMIN"], false).len(),
            ALL.len() - 1
        );
        assert_eq!(granted(&[], &["ALL"], true), ["ALL"]);
        // Adding all counts over dropping all.
        assert_eq!(granted(&["ALL"], &["ALL"], false).len(), ALL.len());
        let more = granted(&["SYS_PTRACE"], &["CAP_NET_RAW"], false);
        assert_eq!(more.len(), DOCKER.len());
        assert!(more.contains(&"SYS_PTRACE".to_owned()) && !more.contains(&"NET_RAW".to_owned()));
        let podmans = told([].into_iter(), [].into_iter(), false, true);
        assert_eq!(podmans["granted"].as_array().unwrap().len(), 11);
    }

    #[test]
    fn masks_have_names() {
        // What Docker gives unasked, as `/proc/<pid>/status` shows it.
        assert_eq!(names(0xa804_25fb), DOCKER);
        assert_eq!(names(0), [""; 0]);
        assert_eq!(names(u64::MAX).len(), ALL.len());
    }
}
