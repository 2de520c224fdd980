//! What an index of Java archives is built from: Trivy's database and lists, packed or not; and the index that comes
//! of it.

use camino::Utf8Path;
use seareeve_scan::ecosystems::JavaIndex;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "java_sources",
    run,
    longest: 32 << 10,
    seeds,
    words: &[
        "SQLite format 3\0",
        "CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT)",
        "CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB)",
        "sha1,group,artifact,version\n",
        "0123456789012345678901234567890123456789",
    ],
};

fn run(bytes: &[u8]) {
    let (_file, from) = made::temporary(bytes);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    let path = path.join("index");
    let Ok(report) = JavaIndex::build(&from, &path) else {
        return;
    };
    let index = JavaIndex::open(&path).expect("what was just built");
    assert_eq!(index.archives(), report.archives, "what was told of it");
    let known = std::fs::read(&path).expect("a file of ours");
    let records = known.get(32..).unwrap_or_default().chunks_exact(16);
    let count = usize::try_from(report.archives).unwrap_or(usize::MAX);
    for record in records.take(count.min(64)) {
        let mut sha1 = [0; 20];
        for (to, from) in sha1.iter_mut().zip(record.iter().take(8)) {
            *to = *from;
        }
        let found = index.get(&sha1).expect("a sound file");
        assert!(found.is_some(), "every record can be looked up");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let sha1 = "0123456789012345678901234567890123456789";
    let lists = [
        format!(
            "sha1,group,artifact,version\n{sha1},org.x,a,1\n\"{sha1}\",\"org.y\",\"b\",\"2\"\n"
        ),
        format!("{sha1}\torg.x\ta\t1\n# more\n{sha1} org.x:a:1\nrubbish\n"),
    ];
    lists.into_iter().map(String::into_bytes).collect()
}
