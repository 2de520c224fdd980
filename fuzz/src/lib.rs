//! Fuzz targets: one per parser of foreign input.
//!
//! A target is a function that takes any bytes. It must not panic, hang, or take memory without end, and it checks
//! what must hold of whatever came out. Nothing here knows the fuzzer: `cargo xtask fuzz` links these functions
//! into libFuzzer (`libfuzzer.rs`), `tests/corpus.rs` runs them on the kept corpus, and `main.rs` on single files.

pub mod corpus;
mod made;
mod server;
mod targets;

pub use targets::TARGETS;

/// One parser under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called: on the command line, and as the corpus's file.
    pub name: &'static str,
    /// Gives the parser any bytes. A panic is a finding.
    pub run: fn(&[u8]),
    /// Bytes of an input at most: enough for what the format can say, so that the fuzzer is not lost in repetition.
    pub longest: usize,
    /// Sound inputs, so that checksums, magic numbers and structure need not be guessed.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// What the parser compares with.
    pub words: &'static [&'static str],
}

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// The words as libFuzzer's `-dict` takes them. It takes no empty file, so there is a comment before them.
    #[must_use]
    pub fn dictionary(&self) -> String {
        let line = |word: &&str| {
            let quoted = word.bytes().map(|byte| match byte {
                b'"' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\x{byte:02X}"),
            });
            format!("\"{}\"\n", quoted.collect::<String>())
        };
        let words: String = self.words.iter().map(line).collect();
        format!("# {}\n{words}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_seeds_fit() {
        let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names.len(), TARGETS.len());
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{} has no seed", target.name);
            for seed in seeds {
                assert!(
                    seed.len() <= target.longest,
                    "{}: a seed has {} bytes",
                    target.name,
                    seed.len()
                );
            }
        }
    }

    #[test]
    fn dictionaries_are_quoted() {
        let target = |words| Target {
            name: "x",
            run: |_| {},
            longest: 1,
            seeds: Vec::new,
            words,
        };
        assert_eq!(
            target(&["a \"b\"\\", "\n\u{e9}"]).dictionary(),
            "# x\n\"a \\\"b\\\"\\\\\"\n\"\\x0A\\xC3\\xA9\"\n"
        );
        assert_eq!(target(&[]).dictionary(), "# x\n");
    }
}
