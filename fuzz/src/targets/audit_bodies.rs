//! Bodies of audit webhooks, packed and not, and lines of files and topics: the same is found in them however they come,
//! unless they are broken: where that shows depends on how much of them is looked at at a time.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use seareeve_audit::{Form, Part, Record, events_in};

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "audit_bodies",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("audit_events"),
    words: &[
        "{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"metadata\":{},\"items\":[",
        "{\"auditID\":\"1\",\"verb\":\"get\"}",
        "{\"records\":[{\"category\":\"kube-audit\",\"properties\":{\"log\":\"{\\\"auditID\\\":\\\"1\\\"}\"}}]}",
        "\"items\":[",
        "[[",
        "]]",
        "\\\"",
        "\\\\",
        "null,true,-1.5e+3",
        " ,\n\t",
        "\u{1f}\u{8b}\u{8}",
    ],
};

fn run(input: &[u8]) {
    let plain = found(Form::Json, input);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(input).expect("a Vec takes any amount");
    let packed = packed.finish().expect("a Vec takes any amount");
    let unpacked = found(Form::Gzip, &packed);
    if plain.iter().all(Result::is_ok) {
        assert_eq!(unpacked, plain);
    }
    // As it is, and broken off.
    found(Form::Gzip, input);
    let half = packed.get(..packed.len() / 2).unwrap_or_default();
    found(Form::Gzip, half);
    // A topic's records and a file's lines are documents, one on a line.
    let lines = input.split(|byte| *byte == b'\n');
    let one_by_one: Vec<_> = lines
        .filter(|line| !line.trim_ascii().is_empty())
        .flat_map(|line| found(Form::Json, line))
        .collect();
    assert_eq!(found(Form::Lines, input), one_by_one);
}

/// Events, and the names of what is wrong.
fn found(form: Form, body: &[u8]) -> Vec<Result<Vec<u8>, &'static str>> {
    let mut all = Vec::new();
    events_in(form, body, &mut |part| match part {
        Part::Event(text) => {
            let _ = Record::read(text);
            all.push(Ok(text.to_vec()));
        }
        Part::Other => {}
        Part::Broken(fault) => {
            assert!(!fault.to_string().is_empty());
            all.push(Err(fault.name()));
        }
    });
    all
}
