//! Modules of Red Hat's family: several versions of one package in one release, of which an image has one stream.
//! An advisory about one stream says nothing about packages of another one, or of none.
//!
//! Packages carry their module and stream in their label. Records have no place for them: there a module shows in
//! the versions (`1:14.20.1-2.module_el8.7.0+3342+b2df8497`), and its stream only in the summary (`Moderate:
//! nodejs:14 security update`), where the package may follow (`httpd:2.4/mod_http2`). Some have not even that.

use seareeve_model::{Package, PackageKind};

use super::stored::Statement;

/// The streams that the summary of a record names.
pub(super) fn streams(summary: &str) -> impl Iterator<Item = &str> {
    let words = summary.split([' ', ',', ';', '(', ')', '/']);
    words.filter(|word| {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_of_name);
        word.split_once(':')
            .is_some_and(|(module, stream)| is_part(module) && is_part(stream))
    })
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+')
}

/// Whether one of the statement's versions is of a module.
pub(super) fn is_modular(statement: &Statement<'_>) -> bool {
    let mut events = statement.ranges.iter().flat_map(|range| &range.events);
    events.any(|event| is_of_module(event.version))
}

/// As the build systems of Red Hat, AlmaLinux and Rocky Linux mark releases.
fn is_of_module(version: &str) -> bool {
    version.contains(".module+el") || version.contains(".module_el")
}

/// Whether `statement` speaks of `package`, as far as modules are concerned. Where the stream of either is not
/// known and nothing else tells it, it does.
pub(crate) fn concerns(statement: &Statement<'_>, package: &Package) -> bool {
    match package.kind {
        PackageKind::Rpm => {}
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Pypi
        | PackageKind::Npm
        | PackageKind::Maven
        | PackageKind::Golang
        | PackageKind::Cargo
        | PackageKind::Gem
        | PackageKind::Composer
        | PackageKind::Nuget => return true,
    }
    let mut events = statement.ranges.iter().flat_map(|range| &range.events);
    // Without any version but the beginning nothing shows what is meant.
    if events.all(|event| event.version == "0") {
        return true;
    }
    let stream = stream(package);
    let is_of_module = stream.is_some() || is_of_module(&package.version);
    if is_of_module != is_modular(statement) {
        return false;
    }
    stream.is_none_or(|stream| {
        if statement.streams.is_empty() {
            is_of_line(statement, package, stream)
        } else {
            statement.streams.contains(&stream)
        }
    })
}

/// Whether a statement that names no stream can mean this one. Many streams are named after the version that they
/// hold (`ruby:3.1`): a package with such a version is not meant by fixes of another one. Of other packages of the
/// module nothing is known.
fn is_of_line(statement: &Statement<'_>, package: &Package, stream: &str) -> bool {
    let line = stream.split_once(':').map_or(stream, |(_, line)| line);
    let is_on_line = |version: &str| {
        let plain = version.split_once(':').map_or(version, |(_, plain)| plain);
        plain
            .strip_prefix(line)
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let mut events = statement.ranges.iter().flat_map(|range| &range.events);
    !is_on_line(package.advisory_version()) || events.any(|event| is_on_line(event.version))
}

/// `nodejs:18`, the beginning of the label in the package URL: module, stream, build, context.
fn stream(package: &Package) -> Option<&str> {
    let (_, qualifiers) = package.purl.as_str().split_once('?')?;
    let mut values = qualifiers
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, label) = values.find(|(key, _)| *key == "modularitylabel")?;
    let (module, rest) = label.split_once(':')?;
    let stream = rest.split(':').next()?;
    label.get(..module.len().checked_add(stream.len())?.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use seareeve_model::Purl;

    use super::*;
    use crate::advisories::stored::{Event, EventKind, Range};

    #[test]
    fn statements_concern_packages_of_their_streams() {
        let package = |version: &str, label: &str| Package {
            kind: PackageKind::Rpm,
            name: "nodejs".to_owned(),
            version: version.to_owned(),
            source: None,
            ecosystem: "AlmaLinux:8".to_owned(),
            purl: Purl::new(
                "rpm",
                "",
                "nodejs",
                "1",
                &[("arch", "x"), ("modularitylabel", label)],
            )
            .unwrap(),
        };
        let plain = package("1:16.1-1.el8", "");
        let labelled = package("1:16.1-1.module_el8.7.0+1+a", "nodejs:16:8070020230101:a");
        // AlmaLinux built some without their labels.
        let unlabelled = package("1:16.1-1.module_el8.7.0+1+a", "");
        #[rustfmt::skip]
        let cases: [(&str, &[&str], [bool; 3]); 8] = [
            ("1:16.2-1.el8", &[], [true, false, false]),
            ("1:16.2-1.module_el8.7.0+2+b", &["nodejs:16"], [false, true, true]),
            ("1:18.2-1.module_el8.7.0+2+b", &["nodejs:18"], [false, false, true]),
            ("1:18.2-1.module+el8.7.0+2+b", &["nodejs:18", "nodejs:16"], [false, true, true]),
            ("1:16.2-1.module_el8.7.0+2+b", &[], [false, true, true]),
            ("1:18.2-1.module_el8.7.0+2+b", &[], [false, false, true]),
            ("1:18.2-1.module_el8.7.0+2+b", &["nodejs:1"], [false, false, true]),
            ("0", &[], [true, true, true]),
        ];
        for (version, streams, expected) in cases {
            let event = |kind, version| Event { kind, version };
            let introduced = event(EventKind::Introduced, "0");
            let fixed = event(EventKind::Fixed, version);
            let statement = Statement {
                streams: streams.to_vec(),
                ranges: vec![Range {
                    semver: false,
                    events: vec![introduced, fixed],
                }],
                ..Statement::default()
            };
            let actual =
                [&plain, &labelled, &unlabelled].map(|package| concerns(&statement, package));
            assert_eq!(actual, expected, "{version} {streams:?}");
        }
    }

    #[test]
    fn without_a_stream_the_version_tells_where_the_package_follows_it() {
        let is_of_line = |version: &str, stream: &str, fixed: &str| {
            let package = Package {
                kind: PackageKind::Rpm,
                name: "x".to_owned(),
                version: version.to_owned(),
                source: None,
                ecosystem: "AlmaLinux:8".to_owned(),
                purl: Purl::new("rpm", "almalinux", "x", version, &[]).unwrap(),
            };
            let event = Event {
                kind: EventKind::Fixed,
                version: fixed,
            };
            let statement = Statement {
                ranges: vec![Range {
                    semver: false,
                    events: vec![event],
                }],
                ..Statement::default()
            };
            is_of_line(&statement, &package, stream)
        };
        assert!(is_of_line("3.1.2-1", "ruby:3.1", "3.1.5-1"));
        assert!(!is_of_line("3.1.2-1", "ruby:3.1", "3.0.7-1"));
        assert!(!is_of_line("3.1.2-1", "ruby:3.1", "3.10.1-1"));
        assert!(is_of_line("2.3.7-1", "ruby:3.1", "2.2.0-1"));
        assert!(is_of_line("4.9.4-1", "container-tools:rhel8", "4.6.1-1"));
    }

    #[test]
    fn summaries_name_streams() {
        let cases: [(&str, &[&str]); 7] = [
            (
                "Important: httpd:2.4/mod_http2 security update",
                &["httpd:2.4"],
            ),
            ("Moderate: nodejs:14 security update", &["nodejs:14"]),
            (
                "Red Hat Security Advisory: python39:3.9 and python39-devel:3.9 security update",
                &["python39:3.9", "python39-devel:3.9"],
            ),
            (
                "Important: idm:DL1, idm:client bug fix",
                &["idm:DL1", "idm:client"],
            ),
            ("container-tools bug fix update", &[]),
            ("Important: : a: :b update", &[]),
            ("", &[]),
        ];
        for (summary, expected) in cases {
            assert_eq!(streams(summary).collect::<Vec<_>>(), expected, "{summary}");
        }
    }
}
