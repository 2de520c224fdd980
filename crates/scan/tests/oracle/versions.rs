//! The version orders against the ecosystems' own tools, on versions that real advisories name: dpkg,
//! Python's `packaging` and Node's `semver` must agree, also on what is no version at all.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs::File;

use camino::Utf8Path;
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
        (Order::Semver, "npm", PAIRS),
    ] {
        let versions = versions(&shared.join("data/osv").join(ecosystem).join("all.zip"));
        let pairs = pairs(&versions, count);
        let input = serde_json::to_vec(&pairs).unwrap();
        let truth: Vec<Option<i8>> = match order {
            Order::Dpkg => pairs.iter().map(|(a, b)| oracle.dpkg(a, b)).collect(),
            Order::Pep440 => serde_json::from_slice(&oracle.packaging(&input).unwrap()).unwrap(),
            Order::Semver => serde_json::from_slice(&oracle.semver(&input).unwrap()).unwrap(),
            Order::Apk => Vec::new(),
        };
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
