//! Bodies: the same events however they are packed, and whatever is broken is told by its name.

use std::io::Write as _;

use super::*;

fn event(id: &str) -> String {
    format!(
        r#"{{"kind":"Event","auditID":"{id}","stage":"ResponseComplete","requestURI":"/x?a=[\"]","verb":"get","objectRef":{{"resource":"pods"}}}}"#
    )
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Events as they are, and the names of faults.
fn found(form: Form, body: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    events_in(form, body, &mut |part| {
        all.push(match part {
            Part::Event(text) => String::from_utf8(text.to_vec()).unwrap(),
            Part::Other => "other".to_owned(),
            Part::Broken(fault) => {
                assert!(!fault.to_string().is_empty());
                fault.name().to_owned()
            }
        });
    });
    all
}

#[test]
fn lists_lines_and_packed_lists_hold_the_same_events() {
    let (a, b) = (event("a"), event("b"));
    let list =
        format!(r#"{{"kind":"EventList","apiVersion":"v1","metadata":{{}},"items":[{a}, {b}]}}"#);
    let lines = format!("{a}\n\n{b}\n");
    for (form, body) in [
        (Form::Json, list.clone().into_bytes()),
        (Form::Gzip, packed(list.as_bytes())),
        (Form::Gzip, packed(format!("[{a},{b}]").as_bytes())),
        (Form::Lines, lines.into_bytes()),
    ] {
        assert_eq!(found(form, &body), [a.clone(), b.clone()], "{form:?}");
    }
    assert_eq!(
        found(Form::Gzip, &packed(a.as_bytes())),
        std::slice::from_ref(&a)
    );
    // Longer than what is unpacked in one go, with ends of pieces everywhere.
    let many: Vec<String> = (0..5_000)
        .map(|number| event(&format!("{number}\\\\\\\"é")))
        .collect();
    let list = format!(r#"{{"items":[{}]}}"#, many.join(" ,\n"));
    assert_eq!(found(Form::Gzip, &packed(list.as_bytes())), many);
    assert_eq!(found(Form::Json, list.as_bytes()), many);
}

#[test]
fn packed_or_not_the_same_is_broken() {
    let (a, b) = (event("a"), event("b"));
    for (items, expected) in [
        ("", &[][..]),
        ("12", &["no-json"]),
        (r#""x\"]",null"#, &["no-json", "no-json"]),
        ("A,B", &["a", "b"]),
        ("A,B,", &["a", "b", "no-json"]),
        ("A B", &["a", "no-json"]),
        ("A,nul,B", &["a", "no-json"]),
        (",A", &["no-json"]),
        ("A}", &["a", "no-json"]),
        ("[A,[B]]", &["a", "b"]),
        (r#"A,"x"#, &["a", "no-json"]),
        ("A,7", &["a", "no-json"]),
        (r#"{"items":[A]},B"#, &["a", "b"]),
    ] {
        let items = items.replace('A', &a).replace('B', &b);
        let expected: Vec<&str> = expected
            .iter()
            .map(|one| match *one {
                "a" => a.as_str(),
                "b" => b.as_str(),
                other => other,
            })
            .collect();
        for list in [
            format!(r#"{{"items":[{items}]}}"#),
            format!(" [ {items} ] trash"),
        ] {
            assert_eq!(found(Form::Json, list.as_bytes()), expected, "{list}");
            assert_eq!(
                found(Form::Gzip, &packed(list.as_bytes())),
                expected,
                "{list}"
            );
        }
    }
    for (text, name) in [
        ("nonsense", "no-json"),
        ("", "no-json"),
        (r#"{"items":{}}"#, "wrong-type"),
    ] {
        assert_eq!(found(Form::Json, text.as_bytes()), [name], "{text}");
        assert_eq!(
            found(Form::Gzip, &packed(text.as_bytes())),
            [name],
            "{text}"
        );
    }
}

#[test]
fn what_comes_before_the_break_is_read() {
    let a = event("a");
    let list = format!(
        r#"{{"items":[{a},{{"auditID":"{}"}},{a}"#,
        "x".repeat(MOST_EVENT)
    );
    let large = "event-too-large";
    assert_eq!(
        found(Form::Gzip, &packed(format!("{list}]}}").as_bytes())),
        [&a, large, &a]
    );
    assert_eq!(
        found(Form::Json, format!("{list}]}}").as_bytes()),
        [&a, large, &a]
    );
    // A list that never ends, and one that breaks off in the middle of its packing.
    let endless = format!("{list},{}", " ".repeat(64 << 20));
    assert_eq!(
        found(Form::Gzip, &packed(endless.as_bytes())),
        [&a, large, &a, "body-too-large"]
    );
    let noise: String = (0..60_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    let broken = packed(format!(r#"{{"items":[{a},"{noise}"]}}"#).as_bytes());
    assert_eq!(
        found(Form::Gzip, broken.split_at(broken.len() / 2).0),
        [&a, "body-not-unpacked"]
    );
    assert_eq!(
        found(Form::Gzip, b"nonsense"),
        ["no-json", "body-not-unpacked"]
    );
    // A bomb that is no list.
    let bomb = packed(&vec![b' '; 65 << 20]);
    assert_eq!(found(Form::Gzip, &bomb), ["body-too-large"]);
}

#[test]
fn a_body_breaks_off_alike_packed_or_not() {
    let a = event("a");
    let log = serde_json::to_string(&a).unwrap();
    let record = format!(r#"{{"category":"kube-audit","properties":{{"log":{log}}}}}"#);
    for (text, expected) in [
        (format!(r#"{{"items":[{a},{a},{{"auditID":"#), &[&a, &a][..]),
        // Azure's records.
        (
            format!(r#"{{"records":[{record},{record},{{"categ"#),
            &[&a, &a],
        ),
        (format!(r#"{{"records":[{record},{{"x":"#), &[&a]),
    ] {
        let mut expected: Vec<&str> = expected.iter().map(|text| text.as_str()).collect();
        expected.push("no-json");
        assert_eq!(found(Form::Json, text.as_bytes()), expected, "{text}");
        let body = packed(text.as_bytes());
        assert_eq!(found(Form::Gzip, &body), expected);
        // Without the sum at its end it is not known whether it was all: what came is read all the same.
        expected.pop();
        expected.push("body-not-unpacked");
        let (torn, _) = body.split_at(body.len() - 4);
        assert_eq!(found(Form::Gzip, torn), expected);
    }
    // One event that was cut off is one.
    let cut = a.replace("}}", r#"},"requestObject":{"a":"#);
    let expected = std::slice::from_ref(&cut);
    assert_eq!(found(Form::Json, cut.as_bytes()), expected);
    assert_eq!(found(Form::Gzip, &packed(cut.as_bytes())), expected);
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let faults = [
        Fault::Unreadable(Unreadable::Syntax),
        Fault::Unreadable(Unreadable::Kind {
            kind: String::new(),
        }),
        Fault::Unreadable(Unreadable::Version {
            version: String::new(),
        }),
        Fault::Unreadable(Unreadable::Type { member: "verb" }),
        Fault::Unreadable(Unreadable::NoId),
        Fault::Unreadable(Unreadable::Members),
        Fault::Large { bytes: 0 },
        Fault::LargeBody,
        Fault::Packing { why: String::new() },
        Fault::Form { tag: 9 },
        Fault::NoTime,
        Fault::Ahead,
        Fault::Bodies,
        Fault::Cut,
        Fault::Secrets,
    ];
    assert_eq!(faults.map(|fault| fault.name()), Fault::NAMES);
}
