//! The version orders against the ecosystems' own tools, on versions that real advisories name: dpkg,
//! Python's `packaging` and Node's `semver` must agree, also on what is no version at all. So must rpm,
//! RubyGems and Composer where they are installed, on made-up versions too.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs::File;

use camino::Utf8Path;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use seareeve_scan::versions::Order;
use serde_json::Value;

use crate::tools;

/// Pairs that are tried of each ecosystem.
const DPKG_PAIRS: usize = 400;
const PAIRS: usize = 20_000;

#[test]
fn orders_agree_with_the_real_tools() {
    let Some(shared) = tools::shared() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let work = Utf8Path::from_path(folder.path()).unwrap();
    let oracle = match tools::Oracle::new(&shared, work) {
        Ok(oracle) => oracle,
        Err(missing) => return tools::did_not_run(&missing),
    };
    for (order, ecosystem, count) in [
        (Order::Dpkg, "Debian", DPKG_PAIRS),
        (Order::Pep440, "PyPI", PAIRS),
        (Order::Npm, "npm", PAIRS),
    ] {
        let versions = versions(&shared.join("data/osv").join(ecosystem).join("all.zip"));
        let pairs = pairs(&versions, count);
        let input = serde_json::to_vec(&pairs).unwrap();
        let truth: Vec<Option<i8>> = if order == Order::Dpkg {
            pairs.iter().map(|(a, b)| oracle.dpkg(a, b)).collect()
        } else {
            let answer = match ecosystem {
                "PyPI" => oracle.packaging(&input),
                _ => oracle.semver(&input),
            };
            serde_json::from_slice(&answer.unwrap()).unwrap()
        };
        agree(order, &versions, &pairs, &truth);
    }
}

#[test]
fn orders_agree_with_the_tools_that_are_installed() {
    let Some(shared) = tools::shared() else {
        return;
    };
    for (order, ecosystems, pattern) in [
        (
            Order::Rpm,
            ["AlmaLinux", "Photon OS"].as_slice(),
            "([0-2]:)?[0-2]{1,2}([.~^_+a-c-][0-2a-b~^]{0,3}){0,3}(-[0-2~^a.]{1,3})?",
        ),
        (
            // RubyGems 3.5 changed which zeros count after a word, so none stand there.
            Order::Gem,
            &["RubyGems"],
            "[0-2](\\.(0|00|1|10)){0,3}(\\.(A|a|b|rc)[12]?(\\.[12])?)?(-[12a])?|[a.]1?",
        ),
        (
            Order::Composer,
            &["Packagist"],
            "v?[0-2](\\.[0-2]){0,4}([._-]?(a|alpha|b|RC|stable|STABLE|p|pl|foo)([.-]?[0-2]){0,2})?([.-]?dev)?(\\+a)?|[0-2](\\.[0-2x]){0,2}(\\.x)?-dev|200[01]-?0[12](-?01)?(-[12])?(-dev|-b1)?",
        ),
    ] {
        let Some(tool) = tools::Installed::find(order) else {
            tools::say(&format!(
                "{order:?}: DID NOT RUN, its tool is not installed"
            ));
            continue;
        };
        let archive = |name: &&str| shared.join("data/osv").join(name).join("all.zip");
        let real: Vec<String> = ecosystems
            .iter()
            .map(archive)
            .flat_map(|path| versions(&path))
            .collect();
        for versions in [real, made_up(pattern)] {
            let pairs = pairs(&versions, PAIRS);
            agree(order, &versions, &pairs, &tool.compare(&pairs).unwrap());
        }
    }
}

/// Texts of the form `pattern`, the same in every run.
fn made_up(pattern: &str) -> Vec<String> {
    let strategy = proptest::string::string_regex(pattern).unwrap();
    let mut runner = TestRunner::deterministic();
    let texts = (0..PAIRS / 2).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    texts.collect()
}

fn agree(order: Order, versions: &[String], pairs: &[(&str, &str)], truth: &[Option<i8>]) {
    assert_eq!(truth.len(), pairs.len());
    for ((a, b), truth) in pairs.iter().zip(truth) {
        let truth = truth.map(|sign| sign.cmp(&0));
        assert_eq!(order.compare(a, b), truth, "{order:?}: {a} {b}");
        assert_eq!(
            order.compare(b, a),
            truth.map(Ordering::reverse),
            "{order:?}: {b} {a}"
        );
    }
    tools::say(&format!(
        "{order:?}: {} pairs of {} versions agree",
        pairs.len(),
        versions.len()
    ));
}

/// Each version with one close to it in the alphabet, where orders differ most, and with one far away.
fn pairs(versions: &[String], count: usize) -> Vec<(&str, &str)> {
    let step = (versions.len() * 2).div_ceil(count).max(1);
    let at = |n: usize| versions[n % versions.len()].as_str();
    let near = (0..versions.len())
        .step_by(step)
        .map(|n| (at(n), at(n + 1)));
    let far = (0..versions.len())
        .step_by(step)
        .map(|n| (at(n), at(n * 7_919 + 13)));
    near.chain(far).collect()
}

/// All versions that the archive's ranges and lists name.
fn versions(archive: &Utf8Path) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
    let mut versions = BTreeSet::new();
    for number in 0..zip.len() {
        let record: Value = serde_json::from_reader(zip.by_index(number).unwrap()).unwrap();
        for affected in record["affected"].as_array().into_iter().flatten() {
            let ranges = affected["ranges"].as_array().into_iter().flatten();
            let ranges = ranges.filter(|range| range["type"] != "GIT");
            let events = ranges.flat_map(|range| range["events"].as_array().into_iter().flatten());
            let bounds = events.flat_map(|event| event.as_object().into_iter().flatten());
            versions.extend(
                bounds
                    .filter_map(|(_, version)| version.as_str())
                    .map(str::to_owned),
            );
            let listed = affected["versions"].as_array().into_iter().flatten();
            versions.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    versions.into_iter().collect()
}
