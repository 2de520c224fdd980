//! rpm packages: the database that rpm keeps in one of three formats, one file below `rpm/` for each, and the list
//! that distroless images of Azure Linux carry instead.

mod bdb;
mod header;
mod installed;
mod manifest;
mod ndb;
mod release;
mod sqlite;
mod wal;

use std::collections::BTreeMap;

use seareeve_model::ImagePath;

use super::found::{Found, Limited, MOST_PACKAGES};
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope};
use header::{Header, Tag};
use installed::Installed;

pub(crate) use release::{Naming, naming, source_file};

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::OperatingSystem {
        release: release::osv_release,
        owned,
    },
    intake: Intake::Amended {
        wanted,
        suffix: b"-wal",
        amend: wal::apply,
    },
    read,
};

/// Where rpm keeps its database: ever since, since it belongs to the system's image, and in images of ostree.
const FOLDERS: [&[u8]; 3] = [b"var/lib/rpm/", b"usr/lib/sysimage/rpm/", b"usr/share/rpm/"];
/// As the formats are called, oldest first. What a file really is, its content says.
const NAMES: [&[u8]; 3] = [b"Packages", b"Packages.db", b"rpmdb.sqlite"];
const MANIFEST: &[u8] = b"var/lib/rpmmanifest/container-manifest-2";

fn wanted(path: &ImagePath) -> bool {
    let path = path.as_bytes();
    let name = |folder: &&[u8]| path.strip_prefix(*folder);
    let mut names = FOLDERS.iter().filter_map(name);
    names.any(|name| NAMES.contains(&name)) || path == MANIFEST
}

fn read(content: &[u8], os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let mut packages = Vec::new();
    let mut take = |package: Option<Installed>| {
        if packages.len() >= MOST_PACKAGES {
            return Err(Limited);
        }
        packages.extend(package);
        Ok(())
    };
    let whole = if found.path().as_bytes() == MANIFEST {
        manifest::packages(content, found, &mut take)
    } else {
        headers(content, &mut |record| {
            match record.map(Header::new) {
                Ok(Some(header)) => take(Installed::new(&header, found))?,
                Ok(None) => found.problem("a package's header is damaged".to_owned()),
                Err(why) => found.problem(why),
            }
            Ok(())
        })
    };
    installed::put(packages, os, found)?;
    whole
}

/// Takes one package's header after the other, and what could not be read.
type Each<'a> = dyn FnMut(Result<&[u8], String>) -> Result<(), Limited> + 'a;

/// Hands out the headers of a database in any of the formats. The work is linear in the size of the file.
fn headers(content: &[u8], each: &mut Each<'_>) -> Result<(), Limited> {
    if content.starts_with(sqlite::MAGIC) {
        return sqlite::headers(content, each);
    }
    if content.starts_with(ndb::MAGIC) {
        return ndb::headers(content, each);
    }
    if let Some(endian) = bdb::endian(content) {
        return bdb::headers(content, endian, each);
    }
    each(Err("not a database in a format of rpm".to_owned()))
}

/// Longest path that is taken, in bytes: the most that Linux allows.
const LONGEST_PATH: usize = 4096;
/// Folders of one package that are taken.
const MOST_FOLDERS: usize = 1 << 20;

/// The files that the distribution's packages own and that `keep` asks for: paths without the slash at the
/// beginning, in no order. What is damaged owns nothing.
///
/// The distribution is the vendor of most packages. Others' packages are left out: what is in them, the
/// distribution's advisories do not speak of.
fn owned(content: &[u8], keep: &dyn Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut vendors: BTreeMap<String, usize> = BTreeMap::new();
    sound_headers(content, &mut |header| {
        *vendors.entry(vendor(header)).or_default() += 1;
        Ok(())
    });
    let distribution = vendors.into_iter().max_by_key(|(_, packages)| *packages);
    let mut owned = Vec::new();
    let mut path = Vec::new();
    // Folders and names stand apart, so a small file can say paths that together are large. In real ones each path
    // comes with a checksum and more, which makes them smaller than the file.
    let mut left = content.len();
    sound_headers(content, &mut |header| {
        if distribution
            .as_ref()
            .is_none_or(|(name, _)| *name != vendor(header))
        {
            return Ok(());
        }
        let folders: Vec<&[u8]> = header.texts(Tag::DirNames).take(MOST_FOLDERS).collect();
        let names = header.texts(Tag::BaseNames);
        for (name, folder) in names.zip(header.numbers(Tag::DirIndexes)) {
            let folder = usize::try_from(folder).ok().and_then(|at| folders.get(at));
            let Some(folder) = folder.filter(|folder| folder.len() <= LONGEST_PATH) else {
                continue;
            };
            path.clear();
            path.extend_from_slice(folder.strip_prefix(b"/").unwrap_or(folder));
            path.extend_from_slice(name);
            left = left.checked_sub(path.len().max(1)).ok_or(Limited)?;
            if keep(&path) {
                owned.push(path.clone());
            }
        }
        Ok(())
    });
    owned
}

fn vendor(header: &Header<'_>) -> String {
    installed::optional(header.text(Tag::Vendor))
}

/// Hands out the headers that are in order, until `each` has enough.
fn sound_headers(content: &[u8], each: &mut dyn FnMut(&Header<'_>) -> Result<(), Limited>) {
    let all = headers(content, &mut |record| match record.map(Header::new) {
        Ok(Some(header)) => each(&header),
        Ok(None) | Err(_) => Ok(()),
    });
    match all {
        Ok(()) | Err(Limited) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(file: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rpm");
        let packed = std::fs::read(format!("{folder}/{file}.zst")).unwrap();
        zstd::decode_all(packed.as_slice()).unwrap()
    }

    #[test]
    fn wants_databases_in_their_places_and_their_logs() {
        let path = |path: &str| ImagePath::parse(path.as_bytes()).unwrap();
        for database in [
            "var/lib/rpm/Packages",
            "var/lib/rpm/Packages.db",
            "usr/lib/sysimage/rpm/rpmdb.sqlite",
            "usr/share/rpm/rpmdb.sqlite",
            "var/lib/rpmmanifest/container-manifest-2",
        ] {
            assert!(ECOSYSTEM.keeps(&path(database)), "{database}");
            assert!(!ECOSYSTEM.amends(&path(database)), "{database}");
        }
        let log = path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal");
        assert!(ECOSYSTEM.amends(&log) && !ECOSYSTEM.keeps(&log));
        for other in [
            "var/lib/rpm/Name",
            "var/lib/rpm/__db.001",
            "var/lib/rpm/rpmdb.sqlite-shm",
            "srv/var/lib/rpm/Packages",
            "var/lib/rpm/x/Packages",
            "var/lib/rpm",
        ] {
            assert!(!ECOSYSTEM.keeps(&path(other)) && !ECOSYSTEM.amends(&path(other)));
        }
    }

    #[test]
    fn the_distributions_packages_own_their_files() {
        for file in [
            "rpmdb.sqlite",
            "Packages.db",
            "Packages.little",
            "Packages.big",
        ] {
            let content = unpacked(file);
            let owned = |keep: &dyn Fn(&[u8]) -> bool| {
                let mut owned = owned(&content, keep);
                owned.sort();
                owned
            };
            let modules = owned(&|path| path.ends_with(b".py"));
            assert_eq!(modules.len(), 80, "{file}");
            assert_eq!(
                modules[0],
                b"usr/lib/python3.9/site-packages/many/module-1.py"
            );
            let others = owned(&|path| !path.starts_with(b"usr/lib/python3.9/"));
            // Without the jar of another vendor's agent.
            let expected: [&[u8]; 4] = [
                b"usr/bin/bash",
                b"usr/bin/node",
                b"usr/lib64/libssl.so.3",
                b"usr/share/doc/bash/README",
            ];
            assert_eq!(others, expected, "{file}");
        }
    }
}
