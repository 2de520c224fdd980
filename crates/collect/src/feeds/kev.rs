//! CISA's catalogue of known exploited vulnerabilities: one JSON file.

use std::fs::File;
use std::io::{self, Read};

use camino::Utf8Path;

use super::download::Download;

/// Where CISA publishes its catalogue.
pub const PUBLIC_ADDRESS: &str =
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";

/// Its name in the folder of feeds.
pub(super) const FILE: &str = "known_exploited_vulnerabilities.json";

/// The largest file that is taken, in bytes. CISA's has 1.5 MB.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn download<'a>(url: &str, folder: &Utf8Path) -> Download<'a> {
    Download {
        what: "KEV",
        kind: "the catalogue of exploited vulnerabilities",
        url: url.to_owned(),
        target: folder.join(FILE),
        max_bytes: MAX_BYTES,
        format: "JSON object",
        is_whole: is_object,
    }
}

/// Whether a file begins and ends as a JSON object does. What is in it, building says.
fn is_object(file: &mut File) -> io::Result<bool> {
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    let text = text.trim_ascii();
    Ok(text.starts_with(b"{") && text.ends_with(b"}"))
}
