//! Lists through the border: text in, entries, and what could not be used, out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use jiff::Timestamp;
use seareeve_intel::{
    Column, Entry, Format, Joiner, Kind, MOST_ENTRIES, Named, Reading, Source, feed_events, read,
};
use serde_json::json;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn all(text: &str, format: &Format) -> Reading {
    read(text.as_bytes(), format, &Kind::ALL).unwrap()
}

fn addresses(text: &str, format: &Format) -> Reading {
    read(text.as_bytes(), format, &[Kind::Address]).unwrap()
}

fn values(reading: &Reading) -> Vec<&str> {
    let entries = reading.entries.iter();
    entries.map(|entry| entry.value.as_ref()).collect()
}

fn unused(reading: &Reading) -> Vec<(&str, u64)> {
    let unused = reading.unused.iter();
    unused
        .map(|(why, unused)| (why.as_str(), unused.count))
        .collect()
}

#[test]
fn plain_lists_of_all_makes() {
    let text = "# exits\n192.0.2.1\n\n192.0.2.0/24 ; SBL1\n2001:db8::/32 # net\n  198.51.100.7  \n192.0.2.1\n\
                not an address\n10.0.0.0/8\n0.0.0.0/0\nevil.example\n";
    let reading = addresses(text, &Format::Auto);
    assert_eq!(
        values(&reading),
        ["192.0.2.0/24", "192.0.2.1", "198.51.100.7", "2001:db8::/32"]
    );
    assert_eq!(
        unused(&reading),
        [
            ("a domain", 1),
            ("a large network of private addresses", 1),
            ("a text that is none", 1),
            ("an address that nobody sends from", 1),
        ]
    );
    assert_eq!(reading.unused["a domain"].example, "evil.example");

    let hosts =
        "127.0.0.1 localhost\n0.0.0.0 evil.example bad.example # both\n! comment\n// comment\n";
    assert_eq!(
        values(&all(hosts, &Format::Auto)),
        ["bad.example", "evil.example"]
    );

    let exits = "ExitNode 0011\nPublished 2026-01-01 00:00:00\nLastStatus 2026-01-01 00:00:00\n\
                 ExitAddress 192.0.2.9 2026-01-01 00:00:00\n";
    let reading = addresses(exits, &Format::Plain);
    assert_eq!(
        (values(&reading), reading.unused_count()),
        (vec!["192.0.2.9"], 0)
    );
}

#[test]
fn tables_by_number_and_by_name() {
    let text = "# A list\n# \"first_seen\",\"dst_ip\",\"port\"\n\"2026-01-01\",\"192.0.2.1\",\"443\"\n\
                \"2026-01-01\",\"192.0.2.2\",\"44\"\"3\"\r\n2026-01-02,,1\n\n\"a\nb\",192.0.2.3,1\n# \"end\n";
    let named = Format::Csv {
        column: Column::Name("DST_IP".to_owned()),
        separator: b',',
    };
    let reading = addresses(text, &named);
    assert_eq!(values(&reading), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    assert_eq!(unused(&reading), [("a line without this column", 1)]);
    let numbered = Format::Csv {
        column: Column::Number(2),
        separator: b';',
    };
    assert_eq!(
        values(&addresses("a;192.0.2.1\nb;192.0.2.2", &numbered)),
        ["192.0.2.1", "192.0.2.2"]
    );
    let lost = Format::Csv {
        column: Column::Name("ip".to_owned()),
        separator: b',',
    };
    let error = read(b"a,b\n1,2\n", &lost, &Kind::ALL).unwrap_err();
    assert_eq!(error.to_string(), "it has no column ip");
}

#[test]
fn stix_bundles_with_their_times() {
    let indicator = |pattern: &str, more: serde_json::Value| {
        let mut indicator = json!({"type": "indicator", "id": "indicator--1", "pattern": pattern,
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"});
        for (name, value) in more.as_object().unwrap() {
            indicator[name] = value.clone();
        }
        indicator
    };
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "identity", "name": "somebody"},
        indicator("[ipv4-addr:value = '192.0.2.1']", json!({})),
        indicator("[ipv4-addr:value = '192.0.2.2']", json!({"valid_until": "2026-02-01T00:00:00Z"})),
        indicator("[ipv4-addr:value = '192.0.2.3']", json!({"revoked": true})),
        indicator("[domain-name:value = 'evil.example']", json!({})),
        indicator("alert tcp any any -> any any", json!({"pattern_type": "snort"})),
        indicator("[file:name = 'x']", json!({})),
        indicator("[nonsense", json!({})),
        indicator("[ipv4-addr:value = 'nonsense']", json!({})),
    ]});
    let reading = all(&bundle.to_string(), &Format::Auto);
    assert_eq!(values(&reading), ["192.0.2.1", "192.0.2.2", "evil.example"]);
    assert_eq!(reading.entries[1].until, Some(at("2026-02-01T00:00:00Z")));
    assert!(reading.entries[1].holds_at(at("2026-01-31T23:59:59Z")));
    assert!(!reading.entries[1].holds_at(at("2026-02-01T00:00:00Z")));
    assert!(
        !reading.entries[0].holds_at(at("2025-12-31T00:00:00Z")),
        "not yet"
    );
    assert_eq!(
        unused(&reading),
        [
            ("an address that is none", 1),
            ("comparisons of file:name", 1),
            ("patterns of the type snort", 1),
            (
                "patterns that cannot be read: a path is expected, not nonsense",
                1
            ),
            ("revoked", 1),
        ]
    );
}

#[test]
fn misp_events_attributes_and_warning_lists() {
    let attribute = |kind: &str, value: &str, is_meant: bool| json!({"type": kind, "value": value, "to_ids": is_meant});
    let event = json!({"response": [{"Event": {"info": "x", "Attribute": [
        attribute("ip-dst", "192.0.2.1", true),
        attribute("ip-dst|port", "192.0.2.2|443", true),
        attribute("ip-src", "192.0.2.3", false),
        attribute("domain|ip", "evil.example|192.0.2.4", true),
        attribute("filename|sha256", &format!("a|b|{}", "a".repeat(64)), true),
        attribute("mutex", "x", true),
        {"type": "ip-src", "value": "192.0.2.5", "to_ids": "1", "deleted": "1"},
    ], "Object": [{"name": "url", "Attribute": [attribute("url", "http://evil.example/x", true)]}]}}]});
    let reading = all(&event.to_string(), &Format::Auto);
    assert_eq!(
        values(&reading),
        [
            "192.0.2.1",
            "192.0.2.2",
            "192.0.2.4",
            &"a".repeat(64),
            "evil.example",
            "http://evil.example/x"
        ]
    );
    assert_eq!(
        unused(&reading),
        [
            ("attributes of the type mutex", 1),
            ("deleted", 1),
            ("not meant for detection (to_ids)", 1)
        ]
    );
    let warning = json!({"name": "n", "type": "cidr", "version": 1, "list": ["192.0.2.0/24", 7]});
    let reading = addresses(&warning.to_string(), &Format::Misp);
    assert_eq!(
        (values(&reading), reading.unused_count()),
        (vec!["192.0.2.0/24"], 1)
    );
    let wrong = read(b"{\"a\": 1}", &Format::Auto, &Kind::ALL).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "it is no event, list of attributes or warning list of MISP"
    );
    let id = |number: u8| format!("5ae0{number:04}-0000-0000-0000-000000000000");
    let manifest =
        json!({id(1): {"info": "old", "timestamp": "1"}, id(2): {"info": "new", "timestamp": 2}});
    assert_eq!(
        feed_events(manifest.to_string().as_bytes()),
        Some((vec![id(2), id(1)], 2))
    );
    assert_eq!(feed_events(event.to_string().as_bytes()), None);
}

#[test]
fn what_is_no_list_is_refused_and_what_is_too_much_is_counted() {
    let wrong = |bytes: &[u8]| {
        read(bytes, &Format::Auto, &Kind::ALL)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        wrong(b"\n <!DOCTYPE html><p>sign in"),
        "it is a page (HTML), not a list"
    );
    assert_eq!(wrong(b"PK\0\0"), "it is no text");
    assert_eq!(wrong(b"{\"type\": \"bundle\""), "it is no JSON");
    let deep = "[".repeat(100_000);
    assert_eq!(wrong(deep.as_bytes()), "it is no JSON");
    let mut text = String::new();
    for number in 0..=u32::try_from(MOST_ENTRIES).unwrap() {
        let [_, a, b, c] = number.to_be_bytes();
        text.push_str(&format!("64.{a}.{b}.{c}\n"));
    }
    let reading = addresses(&text, &Format::Auto);
    assert_eq!(reading.entries.len(), MOST_ENTRIES);
    assert_eq!(unused(&reading), [("too many for one list", 1)]);
}

fn named() -> Vec<Named> {
    vec![
        Named {
            name: "bad_addresses".to_owned(),
            title: "Bad".to_owned(),
            takes: vec![Kind::Address],
            own: vec![("203.0.113.0/24".to_owned(), "Somebody's exits".to_owned())],
        },
        Named {
            name: "bad_names".to_owned(),
            title: "Bad".to_owned(),
            takes: vec![Kind::Domain, Kind::Url],
            own: vec![],
        },
    ]
}

fn entries(text: &str) -> Vec<Entry> {
    all(text, &Format::Auto).entries
}

#[test]
fn lists_are_joined_without_what_is_excluded_and_entries_know_where_they_come_from() {
    let excluded = entries("192.0.2.0/28\n192.0.2.4/30\nwww.example\n");
    let now = at("2026-06-01T00:00:00Z");
    let mut joiner = Joiner::new(now, named(), &excluded);
    let source = |name: &str| Source {
        name: name.to_owned(),
        from: "https://lists.example/x".to_owned(),
        at: Some(at("2026-05-31T12:00:00.5Z")),
    };
    let both = ["bad_addresses".to_owned(), "bad_names".to_owned()];
    let mut first = entries("192.0.2.3\n192.0.2.0/24\n192.0.2.200\nevil.example\nwww.example\n");
    first[0].until = Some(at("2026-07-01T00:00:00Z"));
    first.push(Entry {
        until: Some(now),
        ..entries("198.51.100.1").remove(0)
    });
    joiner.add(source("first"), &first, &both);
    joiner.add(
        source("second"),
        &entries("192.0.2.200\nevil.example"),
        &both[..1],
    );
    let joined = joiner.finish();
    let added: Vec<_> = joined
        .added()
        .map(|(name, items)| (name, items.join(" ")))
        .collect();
    assert_eq!(
        added,
        [
            ("bad_addresses", "192.0.2.0/24 192.0.2.200".to_owned()),
            ("bad_names", "evil.example".to_owned())
        ]
    );
    assert_eq!(
        joined.left_out("first"),
        [("not valid now", 1), ("on a list of exclusions", 2)]
    );
    assert_eq!(joined.left_out("second"), [("no named list takes such", 1)]);
    assert_eq!(joined.next_change(), Some(at("2026-07-01T00:00:00Z")));
    let said = |entry: &str, seen: &str| {
        let listed = joined.listed(entry);
        listed
            .map(|listed| listed.sentence(seen))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said("192.0.2.200", "192.0.2.200"),
        [
            "192.0.2.200 is on the list second (from https://lists.example/x, fetched at 2026-05-31T12:00:00Z)",
            "192.0.2.200 is on the list first (from https://lists.example/x, fetched at 2026-05-31T12:00:00Z)",
        ]
    );
    assert_eq!(
        said("192.0.2.0/24", "192.0.2.9"),
        [
            "192.0.2.9 is on the list first (entry 192.0.2.0/24, from https://lists.example/x, fetched at \
          2026-05-31T12:00:00Z)"
        ]
    );
    assert_eq!(
        said("203.0.113.0/24", "203.0.113.5"),
        [
            "203.0.113.5 is on the list bad_addresses (entry 203.0.113.0/24, Somebody's exits; built in)"
        ]
    );
    assert!(said("192.0.2.3", "192.0.2.3").is_empty(), "it is excluded");
}
