//! Lists of threat intelligence of all forms, and what is known of objects as it is saved.

use jiff::Timestamp;
use seareeve_audit::State;
use seareeve_intel::{Column, Format, Joiner, Kind, Named, Source, feed_events, read};

use crate::Target;
use crate::made;

const WORDS: &[&str] = &[
    "192.0.2.0/24",
    "2001:db8::/32",
    "ExitAddress ",
    "0.0.0.0 evil.example",
    "{\"type\":\"bundle\",\"objects\":[",
    "{\"type\":\"indicator\",\"pattern\":\"",
    "[ipv4-addr:value = '",
    "' OR ",
    "' AND ",
    "ISSUBSET '",
    "file:hashes.'SHA-256' = '",
    "\"valid_until\":\"2026-01-01T00:00:00Z\"",
    "{\"Event\":{\"Attribute\":[",
    "{\"type\":\"ip-dst\",\"to_ids\":true,\"value\":\"",
    "{\"type\":\"cidr\",\"list\":[\"",
    "SRKN\0\0\0\u{1}",
];

pub(super) const TARGET: Target = Target {
    name: "intel_lists",
    run,
    longest: 4 << 10,
    seeds: || made::seeds("intel_lists"),
    words: WORDS,
};

fn run(input: &[u8]) {
    let table = |column| Format::Csv {
        column,
        separator: b',',
    };
    let formats = [
        Format::Auto,
        Format::Plain,
        Format::Stix,
        Format::Misp,
        table(Column::Number(2)),
        table(Column::Name("dst_ip".to_owned())),
    ];
    for format in &formats {
        list(input, format);
    }
    let _ = feed_events(input);
    let mut state = State::default();
    if state.restore(input).is_ok() {
        let saved = state.save().expect("what is known can be saved");
        State::default()
            .restore(&saved)
            .expect("what was saved can be read");
    }
}

/// Whatever is read is each value once, is what it was read for, and can be joined.
fn list(input: &[u8], format: &Format) {
    let reading = match read(input, format, &Kind::ALL) {
        Ok(reading) => reading,
        Err(why) => {
            assert!(!why.to_string().is_empty());
            return;
        }
    };
    let mut values: Vec<_> = reading
        .entries
        .iter()
        .map(|entry| (&entry.value, entry.kind))
        .collect();
    let all = values.len();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), all);
    let named = Named {
        name: "bad".to_owned(),
        title: "Bad".to_owned(),
        takes: Kind::ALL.to_vec(),
        own: Vec::new(),
    };
    let half = reading.entries.len() / 2;
    let (excluded, entries) = reading.entries.split_at(half);
    let mut joiner = Joiner::new(Timestamp::UNIX_EPOCH, vec![named], excluded);
    let source = Source {
        name: "list".to_owned(),
        from: "here".to_owned(),
        at: None,
    };
    joiner.add(source, entries, &["bad".to_owned()]);
    let joined = joiner.finish();
    for (_, added) in joined.added() {
        for entry in added {
            // Conditions are made of entries: nothing in them ends one.
            assert!(!entry.contains(['"', '\'', '\\', '\n']), "{entry:?}");
            assert!(joined.listed(entry).next().is_some());
        }
    }
}
