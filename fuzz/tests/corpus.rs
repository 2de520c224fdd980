//! Every target over its seeds and the kept corpus: what the fuzzer reached once stays without a finding.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use seareeve_fuzz::{TARGETS, Target, corpus};

/// Runs a target on all that is known, and returns which inputs made it panic.
fn findings(target: &Target) -> Vec<String> {
    let seeds = (target.seeds)();
    let seeds = seeds.into_iter().enumerate();
    let mut inputs: Vec<(String, Vec<u8>)> = seeds
        .map(|(number, seed)| (format!("seed {number}"), seed))
        .collect();
    inputs.extend(corpus::read(target.name).expect("the corpus is of this repository"));
    let panics = inputs.iter().filter(|(_, input)| {
        let run = AssertUnwindSafe(|| (target.run)(input));
        catch_unwind(run).is_err()
    });
    panics
        .map(|(name, _)| format!("{}: {name}", target.name))
        .collect()
}

#[test]
fn the_corpus_has_no_findings() {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let findings = findings(target);
                    found.lock().unwrap().extend(findings);
                }
            });
        }
    });
    assert_eq!(found.into_inner().unwrap(), [""; 0]);
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let folder = corpus::path("x");
    let folder = folder.parent().unwrap();
    let mut kept: Vec<String> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    kept.sort();
    let mut expected: Vec<String> = TARGETS
        .iter()
        .map(|target| format!("{}.tar.zst", target.name))
        .collect();
    expected.sort();
    assert_eq!(kept, expected);
}
