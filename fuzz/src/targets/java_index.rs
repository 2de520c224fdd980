//! The index of Java archives: any bytes as its file, asked for archives that are in it and that are not.

use camino::Utf8Path;
use seareeve_scan::ecosystems::JavaIndex;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "java_index",
    run,
    longest: 2 << 10,
    seeds,
    words: &["seareeve-java\0\0\u{1}", "org.x:a", "1.0"],
};

fn run(bytes: &[u8]) {
    let (_file, path) = made::temporary(bytes);
    let Ok(index) = JavaIndex::open(&path) else {
        return;
    };
    // The keys that stand in the file, and what stands before and behind all of them.
    let keys = bytes
        .get(32..)
        .unwrap_or_default()
        .chunks_exact(16)
        .take(64);
    let keys = keys.map(|record| record.get(..8).unwrap_or_default());
    for key in keys.chain([[0; 8].as_slice(), &[0xff; 8]]) {
        let mut sha1 = [0; 20];
        for (to, from) in sha1.iter_mut().zip(key) {
            *to = *from;
        }
        let _ = index.get(&sha1);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    [0_u8, 1, 12]
        .map(|count| {
            let file = path.join("index");
            let line = |number: u8| {
                let sha1 = format!("{number:02x}").repeat(20);
                format!("{sha1} org.x:a{}:1.{number}\n", number % 3)
            };
            let list = path.join("list");
            std::fs::write(&list, (0..count).map(line).collect::<String>())
                .expect("a file of ours");
            JavaIndex::build(&list, &file).expect("sound lines");
            std::fs::read(&file).expect("a file of ours")
        })
        .into()
}
