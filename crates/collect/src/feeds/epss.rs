//! FIRST's EPSS scores: one CSV file of the day, packed by gzip.

use std::fs::File;
use std::io::{self, Read};

use camino::Utf8Path;

use super::download::Download;

/// Where FIRST has the scores of the day published.
pub const PUBLIC_ADDRESS: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

/// Its name in the folder of feeds. A proxy may have unpacked it; building looks at the content.
pub(super) const FILE: &str = "epss_scores.csv.gz";

/// The largest file that is taken, in bytes. FIRST's has 2.5 MB.
const MAX_BYTES: u64 = 256 << 20;

pub(super) fn download<'a>(url: &str, folder: &Utf8Path) -> Download<'a> {
    Download {
        what: "EPSS",
        kind: "the EPSS scores",
        url: url.to_owned(),
        target: folder.join(FILE),
        max_bytes: MAX_BYTES,
        format: "file of EPSS scores",
        is_whole: is_table,
    }
}

/// Whether a file begins as a packed one (RFC 1952) or as the table does.
fn is_table(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.take(7).read_to_end(&mut start)?;
    Ok(start.starts_with(&[0x1f, 0x8b]) || start.starts_with(b"#model_"))
}
