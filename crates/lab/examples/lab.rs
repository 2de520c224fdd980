//! Starts a lab, says where its engine listens, and ends it when its standard input ends: for a look by hand, and for
//! measuring. `lab` has all lodgers in it, `lab crowd 20` so many that are alike; what follows `--` is for dockerd.
#![expect(clippy::print_stdout, reason = "it tells whoever started it")]

use std::io::Read as _;

use anyhow::{Context as _, Result};
use seareeve_lab::{Lab, Settings, crowd};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut parts = words.splitn(2, |word| word == "--");
    let count: Option<usize> = match parts.next().unwrap_or_default() {
        [what, count] if what == "crowd" => Some(count.parse().context("the count is none")?),
        _ => None,
    };
    let settings = Settings {
        flags: parts.next().unwrap_or_default().to_vec(),
        is_furnished: count.is_none(),
        ..Settings::default()
    };
    let lab = Lab::start(&settings)?.context("no engine can run here")?;
    if let Some(count) = count {
        lab.house(&crowd(count))?;
    }
    println!("{}", lab.socket().display());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
