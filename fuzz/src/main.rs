//! What `cargo xtask fuzz` needs besides the fuzzer, and a finding's first look: runs targets on single files in an
//! ordinary build, with a debugger or without.
#![expect(
    clippy::print_stdout,
    reason = "a developer's tool talks through its terminal"
)]

use std::fs;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use seareeve_fuzz::{TARGETS, Target, corpus};

const USAGE: &str = "usage: seareeve-fuzz list
       seareeve-fuzz prepare TARGET FOLDER     writes FOLDER/corpus and FOLDER/words
       seareeve-fuzz keep TARGET FOLDER        makes the files of FOLDER the target's corpus
       seareeve-fuzz replay TARGET PATH...     runs the target on files, or on those of folders
       seareeve-fuzz swell TARGET FOLDER COUNT writes so many of the known inputs, grown to a megabyte";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => {
            for target in TARGETS {
                println!("{} {}", target.name, target.longest);
            }
            Ok(())
        }
        ["prepare", name, folder] => prepare(target(name)?, Utf8Path::new(folder)),
        ["keep", name, folder] => {
            let bytes = corpus::write(target(name)?.name, Utf8Path::new(folder))?;
            println!("{bytes}");
            Ok(())
        }
        ["replay", name, paths @ ..] if !paths.is_empty() => replay(target(name)?, paths),
        ["swell", name, folder, count] => {
            swell(target(name)?, Utf8Path::new(folder), count.parse()?)
        }
        _ => bail!("{USAGE}"),
    }
}

fn target(name: &str) -> Result<&'static Target> {
    Target::find(name).with_context(|| format!("there is no target {name}; see `list`"))
}

/// What a run starts from: the kept corpus, the seeds, and the dictionary.
fn prepare(target: &Target, folder: &Utf8Path) -> Result<()> {
    let kept = corpus::read(target.name)?;
    let seeds = (target.seeds)();
    let inputs = kept.iter().map(|(_, content)| content).chain(&seeds);
    corpus::unpack(inputs.map(Vec::as_slice), &folder.join("corpus"))?;
    let words = folder.join("words");
    fs::write(&words, target.dictionary()).with_context(|| format!("failed to write {words}"))
}

fn replay(target: &Target, paths: &[&str]) -> Result<()> {
    for path in paths {
        for file in corpus::files(Utf8Path::new(path))? {
            let input = fs::read(&file).with_context(|| format!("failed to read {file}"))?;
            let started = Instant::now();
            (target.run)(&input);
            println!("{:>7} ms  {file}", started.elapsed().as_millis());
        }
    }
    Ok(())
}

/// Bytes that inputs are grown to.
const LARGE: usize = 1 << 20;

/// Grows inputs by repeating parts of them, which shows what takes more than its share of time on large inputs: the
/// fuzzer's own are too small for that.
fn swell(target: &Target, folder: &Utf8Path, count: usize) -> Result<()> {
    let seeds = (target.seeds)();
    let kept = corpus::read(target.name)?;
    let inputs: Vec<&[u8]> = seeds
        .iter()
        .chain(kept.iter().map(|(_, content)| content))
        .map(Vec::as_slice)
        .filter(|input| !input.is_empty())
        .collect();
    // Linear congruential, so that every run tries the same.
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % bound.max(1)
    };
    let mut grown = Vec::new();
    for _ in 0..count {
        let input = inputs.get(below(inputs.len())).copied().unwrap_or_default();
        let start = below(input.len());
        // A few bytes, or a part of any length.
        let longest = if below(2) == 0 { 8 } else { input.len() };
        let length = (below(longest) + 1).min(input.len() - start);
        let (before, rest) = input.split_at(start);
        let (part, behind) = rest.split_at(length);
        // Equal repetitions, or each with its number somewhere in it: names that differ cost other things.
        let numbered = (below(2) == 0).then(|| below(length));
        let mut one = before.to_vec();
        for number in 0_u32.. {
            if one.len() >= LARGE || part.is_empty() {
                break;
            }
            let (head, tail) = part.split_at(numbered.unwrap_or_default());
            one.extend_from_slice(head);
            if numbered.is_some() {
                one.extend_from_slice(number.to_string().as_bytes());
            }
            one.extend_from_slice(tail);
        }
        one.extend_from_slice(behind);
        grown.push(one);
    }
    corpus::unpack(grown.iter().map(Vec::as_slice), folder)
}
