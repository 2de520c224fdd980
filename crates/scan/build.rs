//! Gives the examiner its version: a digest of all that decides what is remembered of a file.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for place in [
        "src/ecosystems",
        "src/ecosystems.rs",
        "src/examiner.rs",
        "src/secrets",
        "src/secrets.rs",
        "../../content/secrets",
    ] {
        println!("cargo::rerun-if-changed={place}");
        add(Path::new(place), &mut hasher)?;
    }
    println!(
        "cargo::rustc-env=SEAREEVE_EXAMINER_VERSION={:016x}",
        hasher.finish()
    );
    Ok(())
}

fn add(place: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if place.is_dir() {
        let mut below = fs::read_dir(place)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        below.sort();
        return below.iter().try_for_each(|place| add(place, hasher));
    }
    place.hash(hasher);
    fs::read(place)?.hash(hasher);
    Ok(())
}
