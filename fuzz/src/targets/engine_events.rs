//! What an engine tells of its events, line by line.

use seareeve_collect::watch::Event;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "engine_events",
    run,
    longest: 2 << 10,
    seeds: || made::seeds("engine_events"),
    words: &[
        "{\"Type\":\"container\",\"Action\":\"exec_start: sh\"}",
        "\"Actor\":{\"ID\":\"4f\",\"Attributes\":{\"execID\":\"ab\",\"name\":\"web\"}}",
        "\"timeNano\":",
        "\"time\":",
        "9223372036854775807",
        "-9223372036854775808",
        "\"Attributes\":null",
        "health_status: healthy",
        "\"image\"",
        "\"volume\"",
        "\n",
    ],
};

fn run(input: &[u8]) {
    for line in input.split(|byte| *byte == b'\n') {
        if let Some(event) = Event::parse(line) {
            let at = event.at();
            assert_eq!(at, event.at());
            assert_eq!(Some(event), Event::parse(line));
        }
    }
}
