//! The editions of CIS as their makers published them: each id, and the level of each.

use std::collections::BTreeSet;

use seareeve_posture::Library;

/// How many controls a section has (they are numbered from 1), and the ids of the second level.
type Edition = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, u32)],
    &'static [&'static str],
);

const EDITIONS: [Edition; 3] = [
    (
        "cis-docker",
        &["1.8.0"],
        &[
            ("1.1", 18),
            ("1.2", 2),
            ("2", 19),
            ("3", 24),
            ("4", 12),
            ("5", 32),
            ("6", 2),
            ("7", 9),
        ],
        &[
            "1.1.7", "1.1.8", "1.1.9", "1.1.10", "1.1.11", "1.1.12", "1.1.13", "1.1.14", "1.1.15",
            "1.1.16", "1.1.17", "1.1.18", "2.10", "2.11", "2.12", "2.13", "2.14", "2.18", "3.17",
            "3.18", "3.19", "3.20", "3.21", "3.22", "4.5", "4.8", "4.11", "5.3", "5.23", "5.24",
            "5.30",
        ],
    ),
    (
        "cis-kubernetes",
        &["2.0.0", "1.12.0"],
        &[
            ("1.1", 21),
            ("1.2", 30),
            ("1.3", 7),
            ("1.4", 2),
            ("2", 7),
            ("3.1", 3),
            ("3.2", 2),
            ("4.1", 10),
            ("4.2", 14),
            ("4.3", 1),
            ("5.1", 13),
            ("5.2", 12),
            ("5.3", 2),
            ("5.4", 2),
            ("5.5", 1),
            ("5.6", 4),
        ],
        &[
            "1.2.12", "1.2.13", "1.2.14", "2.7", "3.2.2", "4.2.8", "5.2.7", "5.2.9", "5.3.2",
            "5.4.1", "5.4.2", "5.5.1", "5.6.2", "5.6.3", "5.6.4",
        ],
    ),
    (
        "cis-aks",
        &["1.8.0"],
        &[
            ("2.1", 1),
            ("3.1", 4),
            ("3.2", 9),
            ("4.1", 12),
            ("4.2", 5),
            ("4.4", 2),
            ("4.5", 2),
            ("4.6", 3),
            ("5.1", 4),
            ("5.2", 1),
            ("5.3", 1),
            ("5.4", 5),
            ("5.5", 2),
        ],
        &[
            "3.2.7", "3.2.8", "4.4.2", "4.5.1", "4.5.2", "4.6.2", "4.6.3", "5.1.4", "5.4.2",
            "5.4.5", "5.5.1", "5.5.2",
        ],
    ),
];

#[test]
fn each_control_is_there_with_its_level() {
    let library = Library::builtin();
    for (id, versions, sections, second) in EDITIONS {
        let numbers = sections.iter().flat_map(|(section, last)| {
            (1..=*last).map(move |number| format!("{section}.{number}"))
        });
        let wanted: BTreeSet<(String, u8)> = numbers
            .map(|number| {
                let level = if second.contains(&number.as_str()) {
                    2
                } else {
                    1
                };
                (number, level)
            })
            .collect();
        assert_eq!(
            wanted.iter().filter(|(_, level)| *level == 2).count(),
            second.len(),
            "{id}"
        );
        for version in versions {
            let benchmark = library.benchmark(id, Some(version)).unwrap();
            let controls = benchmark.controls.iter();
            let found: BTreeSet<(String, u8)> = controls
                .map(|control| (control.id.clone(), control.level))
                .collect();
            assert_eq!(found, wanted, "{id} {version}");
        }
    }
}
