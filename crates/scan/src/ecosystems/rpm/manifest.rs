//! The list of packages in distroless images of Azure Linux, which have no rpm: what `rpm -qa` printed when the
//! image was built, ten columns a line.

use super::super::found::{Found, Limited};
use super::installed::{self, Installed};

/// Name, version with release, two times, vendor, nothing, size, architecture, epoch, source package.
const COLUMNS: usize = 10;

/// Hands out the package of each line; `None` for a line that is none.
pub(super) fn packages(
    content: &[u8],
    found: &mut Found<'_>,
    take: &mut dyn FnMut(Option<Installed>) -> Result<(), Limited>,
) -> Result<(), Limited> {
    for line in content.split(|b| *b == b'\n') {
        if !line.trim_ascii().is_empty() {
            take(package(line, found))?;
        }
    }
    Ok(())
}

fn package(line: &[u8], found: &mut Found<'_>) -> Option<Installed> {
    let mut columns = line.split(|b| *b == b'\t').map(<[u8]>::trim_ascii);
    let name = found.text("package name", columns.next())?;
    if name == "gpg-pubkey" {
        return None;
    }
    let version = found.text(&format!("version of package {name}"), columns.next())?;
    let rest: Vec<&[u8]> = columns.take(COLUMNS).collect();
    let [_, _, _, _, _, architecture, epoch, source] = rest.as_slice() else {
        found.problem(format!(
            "the line of package {name} has not {COLUMNS} columns"
        ));
        return None;
    };
    Some(Installed {
        name,
        version,
        // What has none is zero here, but `(none)` where rpm was asked in another way.
        epoch: installed::optional(Some(epoch)).parse().unwrap_or_default(),
        architecture: installed::optional(Some(architecture)),
        source: installed::optional(Some(source)),
        module: String::new(),
    })
}
