//! OSV's public archives: one `all.zip` per ecosystem below one address, kept in the same layout.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};

use super::Addresses;
use super::download::Download;

/// Where OSV publishes its archives.
pub const PUBLIC_ADDRESS: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// The ecosystems whose packages we find, so whose advisories are of use.
pub const ECOSYSTEMS: [&str; 5] = ["Alpine", "Debian", "PyPI", "Ubuntu", "npm"];

/// The folder of all ecosystems' folders.
const FOLDER: &str = "osv";

/// The archive's name in its ecosystem's folder.
const ARCHIVE: &str = "all.zip";

/// The largest archive that is taken, in bytes. OSV's largest is near 200 MB.
const MAX_BYTES: u64 = 4 << 30;

pub(super) fn downloads<'a>(
    addresses: &Addresses<'a>,
    folder: &Utf8Path,
) -> impl Iterator<Item = Download<'a>> {
    let folder = folder.join(FOLDER);
    let address = addresses.osv.trim_end_matches('/');
    addresses.ecosystems.iter().map(move |ecosystem| Download {
        what: ecosystem,
        kind: "the advisories",
        url: format!("{address}/{}/{ARCHIVE}", ecosystem.replace(' ', "%20")),
        target: folder.join(ecosystem).join(ARCHIVE),
        max_bytes: MAX_BYTES,
        format: "zip archive",
        is_whole: is_zip,
    })
}

/// The folders that hold an archive of one of the ecosystems.
pub(super) fn archives(addresses: &Addresses<'_>, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let folder = folder.join(FOLDER);
    let folders = addresses.ecosystems.iter();
    let folders = folders.map(|ecosystem| folder.join(ecosystem));
    folders.filter(|path| path.join(ARCHIVE).exists()).collect()
}

/// Whether a file begins and ends as a zip archive does (APPNOTE 4.3: a local header at the start, the record of the
/// central directory's end within the last 64 KiB). What is in it, building says.
fn is_zip(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::new();
    Read::by_ref(file).take(4).read_to_end(&mut start)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(22 + 65_535)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(start == b"PK\x03\x04" && end.windows(4).any(|four| four == b"PK\x05\x06"))
}
