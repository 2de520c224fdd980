//! Red Hat and SUSE file one release under many ecosystems: one for each repository, module or support contract.
//! A package does not say which of them it is from, and its builds are the same in all, so the index has one name
//! for a release.

use std::borrow::Cow;

/// The name that stands for `ecosystem` in the index; other vendors' ecosystems keep theirs.
///
/// `Red Hat:enterprise_linux:9::appstream` is `Red Hat:enterprise_linux:9`. So is each minor release, as fixes
/// only ever go into the newest. Extended support (`rhel_eus:9.2`) has builds of its own and stays apart.
///
/// `SUSE:Linux Enterprise Module for Basesystem 15 SP5` and `SUSE:Linux Enterprise Server 15 SP5-LTSS` are
/// `SUSE:Linux Enterprise 15 SP5`: who has no contract for long-term support is affected all the same.
pub(super) fn folded(ecosystem: &str) -> Cow<'_, str> {
    if let Some(rest) = ecosystem.strip_prefix(ENTERPRISE_LINUX) {
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        let major = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !major.is_empty() {
            return Cow::Owned(format!("{ENTERPRISE_LINUX}{major}"));
        }
    }
    if let Some(release) = ecosystem.strip_prefix(LINUX_ENTERPRISE).and_then(release) {
        return Cow::Owned(format!("{LINUX_ENTERPRISE}{release}"));
    }
    Cow::Borrowed(ecosystem)
}

const ENTERPRISE_LINUX: &str = "Red Hat:enterprise_linux:";
const LINUX_ENTERPRISE: &str = "SUSE:Linux Enterprise ";

/// `15 SP5`, `12` or `16.0` at the end of a product's name, without what is sold with it (`-LTSS`). Micro is
/// another distribution that counts on its own.
fn release(product: &str) -> Option<&str> {
    if product.starts_with("Micro") {
        return None;
    }
    let begins = |word: &str| word.starts_with(|letter: char| letter.is_ascii_digit());
    let (before, last) = product.rsplit_once(' ').unwrap_or(("", product));
    let start = if begins(last) {
        product.len().checked_sub(last.len())?
    } else {
        last.strip_prefix("SP").filter(|pack| begins(pack))?;
        let major = before.rsplit(' ').next().filter(|word| begins(word))?;
        before.len().checked_sub(major.len())?
    };
    product.get(start..)?.split('-').next()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use seareeve_model::{DatabaseKind, Package, PackageKind, Purl};
    use serde_json::{Value, json};

    use super::*;
    use crate::advisories::{Builder, Database, changed_names, keys_of};

    #[test]
    fn what_all_editions_say_is_kept_once() {
        let affected = |ecosystem: &str, fixed: &str| -> Value {
            json!({"package": {"ecosystem": ecosystem, "name": "openssl-libs"}, "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]})
        };
        let record = json!({"id": "RHSA-1", "affected": [
            affected("Red Hat:enterprise_linux:9::baseos", "1:3.0.7-28.el9_4"),
            affected("Red Hat:enterprise_linux:9::appstream", "1:3.0.7-28.el9_4"),
            affected("Red Hat:rhel_eus:9.2::baseos", "1:3.0.7-18.el9_2.1"),
            affected("Red Hat:enterprise_linux:8::baseos", "1:1.1.1k-14.el8_6")]});
        let mut builder = Builder::new(DatabaseKind::Full, Timestamp::UNIX_EPOCH);
        builder
            .add_json("test", record.to_string().as_bytes())
            .unwrap();
        let database = Database::from_bytes(builder.finish().unwrap().0).unwrap();
        let package = Package {
            kind: PackageKind::Rpm,
            name: "openssl-libs".to_owned(),
            version: "1:3.0.7-27.el9".to_owned(),
            source: None,
            ecosystem: "Red Hat:enterprise_linux:9::baseos".to_owned(),
            purl: Purl::new("rpm", "", "openssl-libs", "3.0.7-27.el9", &[]).unwrap(),
        };
        let keys = keys_of(&package);
        let [(ecosystem, name)] = keys.as_slice() else {
            panic!("{keys:?}");
        };
        assert_eq!(ecosystem, "Red Hat:enterprise_linux:9");
        assert_eq!(database.entries(ecosystem, name).unwrap().len(), 1);
        let changed = changed_names(None, &database).unwrap();
        assert_eq!(changed.len(), 3);
        assert!(changed.contains(&keys[0]), "{changed:?}");
    }

    #[test]
    fn editions_of_one_release_have_one_name() {
        #[rustfmt::skip]
        let cases = [
            ("Red Hat:enterprise_linux:9::appstream", "Red Hat:enterprise_linux:9"),
            ("Red Hat:enterprise_linux:10.2", "Red Hat:enterprise_linux:10"),
            ("Red Hat:enterprise_linux:7::server", "Red Hat:enterprise_linux:7"),
            ("Red Hat:enterprise_linux:9", "Red Hat:enterprise_linux:9"),
            ("Red Hat:rhel_eus:9.2::baseos", "Red Hat:rhel_eus:9.2::baseos"),
            ("Red Hat:enterprise_linux:x", "Red Hat:enterprise_linux:x"),
            ("Red Hat:openshift:4.15::el9", "Red Hat:openshift:4.15::el9"),
            ("SUSE:Linux Enterprise Server 15 SP5", "SUSE:Linux Enterprise 15 SP5"),
            ("SUSE:Linux Enterprise Server 15 SP5-LTSS", "SUSE:Linux Enterprise 15 SP5"),
            ("SUSE:Linux Enterprise Module for Python 3 15 SP5", "SUSE:Linux Enterprise 15 SP5"),
            ("SUSE:Linux Enterprise Server LTSS Extended Security 12 SP5", "SUSE:Linux Enterprise 12 SP5"),
            ("SUSE:Linux Enterprise Module for Containers 12", "SUSE:Linux Enterprise 12"),
            ("SUSE:Linux Enterprise Server 16.0", "SUSE:Linux Enterprise 16.0"),
            ("SUSE:Linux Enterprise Micro 5.5", "SUSE:Linux Enterprise Micro 5.5"),
            ("SUSE:Linux Enterprise Real SP5", "SUSE:Linux Enterprise Real SP5"),
            ("SUSE:Linux Enterprise ", "SUSE:Linux Enterprise "),
            ("SUSE:Manager Server 4.3", "SUSE:Manager Server 4.3"),
            ("openSUSE:Leap 15.6", "openSUSE:Leap 15.6"),
            ("AlmaLinux:9", "AlmaLinux:9"),
        ];
        for (ecosystem, expected) in cases {
            assert_eq!(folded(ecosystem), expected);
            assert_eq!(folded(expected), expected, "{ecosystem} twice");
        }
    }
}
