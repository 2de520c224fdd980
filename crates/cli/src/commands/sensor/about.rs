//! What the sensor says of itself: `seareeve.sensor`.

use std::fs;

use seareeve_collect::watch::Hearing;
use seareeve_model::{Collection, Fact, Snapshot};
use serde_json::{Value, json};

use super::kind;
use crate::args::SensorArgs;

/// What the sensor needs beyond what every process may, by the kernel's number (capabilities(7)), and what is not
/// seen without.
const NEEDED: &[(u8, &str, &str)] = &[
    (
        1,
        "CAP_DAC_OVERRIDE",
        "engines whose sockets belong to other users: rootless ones",
    ),
    (
        2,
        "CAP_DAC_READ_SEARCH",
        "files that only their owners may read, and folders that only they may enter: sudoers, audit rules, keys, \
         users' engines",
    ),
    (
        19,
        "CAP_SYS_PTRACE",
        "the files that engines and components of Kubernetes have open and see, so whose a socket is, what a \
         container's processes listen on, and configuration inside of containers",
    ),
    (
        30,
        "CAP_AUDIT_CONTROL",
        "the audit rules that the kernel has loaded",
    ),
];

/// In the words of facts.
pub(super) fn mode(hearing: &Hearing) -> &'static str {
    match hearing.is_whole() {
        true => "events",
        false => "polling",
    }
}

/// Adds the fact. `hearing` is what can be heard; nothing for a sensor that looks once.
pub(super) fn add(snapshot: &mut Snapshot, hearing: Option<&Hearing>, args: &SensorArgs) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let engines: Vec<Value> = hearing
        .iter()
        .flat_map(|hearing| &hearing.engines)
        .map(|(endpoint, why)| {
            let mut engine = json!({"endpoint": endpoint, "listening": why.is_none()});
            if let (Some(why), Some(engine)) = (why, engine.as_object_mut()) {
                engine.insert("why".to_owned(), json!(why));
            }
            engine
        })
        .collect();
    let mut files = json!({"watched": hearing.map_or(0, |hearing| hearing.files)});
    if let (Some(why), Some(files)) = (
        hearing.and_then(|hearing| hearing.files_why.as_ref()),
        files.as_object_mut(),
    ) {
        files.insert("why".to_owned(), json!(why));
    }
    let data = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "mode": hearing.map_or("once", mode),
        "engines": engines,
        "files": files,
        "every_seconds": match hearing {
            Some(hearing) if !hearing.is_whole() => args.poll,
            _ => args.every,
        },
        "missing": missing(&status),
        "root": field(&status, "Uid").and_then(|ids| ids.split_whitespace().nth(1)) == Some("0"),
    });
    let fact = Fact {
        id: "sensor".to_owned(),
        name: format!("sensor {}", env!("CARGO_PKG_VERSION")),
        data,
    };
    let facts = Collection::of("the sensor", vec![fact]);
    snapshot.facts.insert(kind("seareeve.sensor"), facts);
}

fn field<'s>(status: &'s str, name: &str) -> Option<&'s str> {
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.trim())
}

/// What of [`NEEDED`] the process does not have.
fn missing(status: &str) -> Vec<Value> {
    let has = field(status, "CapEff").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    let has = has.unwrap_or_default();
    let missing = NEEDED.iter().filter(|(bit, ..)| has >> bit & 1 == 0);
    missing
        .map(|(_, capability, lost)| json!({"capability": capability, "lost": lost}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_what_is_lost() {
        let names = |mask: &str| -> Vec<String> {
            let status = format!("Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t{mask}\n");
            let missing = missing(&status);
            let names = missing
                .iter()
                .map(|one| one["capability"].as_str().unwrap().to_owned());
            names.collect()
        };
        assert_eq!(names("000001ffffffffff"), Vec::<String>::new());
        assert_eq!(names("0000000000000000").len(), NEEDED.len());
        // Docker's default for root in a container.
        assert_eq!(
            names("00000000a80425fb"),
            ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_AUDIT_CONTROL"]
        );
        assert_eq!(missing("").len(), NEEDED.len());
    }
}
