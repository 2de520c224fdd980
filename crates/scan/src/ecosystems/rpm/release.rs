//! Which of OSV's ecosystems a distribution with rpm packages is, and how that ecosystem's records name packages.

use super::super::os_release::OsRelease;

/// OSV's name of the release. CentOS, Fedora, Amazon Linux and Oracle Linux have none: their cousins' advisories
/// speak of packages that were built from other sources at other times.
pub(super) fn osv_release(os: &OsRelease) -> Option<String> {
    if let Some(product) = red_hat_product(os) {
        return red_hat(os, product);
    }
    let numbered = |name: &str, release: Option<&str>| Some(format!("{name}:{}", release?));
    match os.id.as_str() {
        "almalinux" => numbered("AlmaLinux", major(os)),
        "rocky" => numbered("Rocky Linux", major(os)),
        // The distribution was called CBL-Mariner until its third release.
        "azurelinux" | "mariner" => numbered("Azure Linux", major(os)),
        "mageia" => numbered("Mageia", major(os)),
        "photon" => numbered("Photon OS", version(os)),
        "openEuler" | "openeuler" => open_euler(os),
        "opensuse-tumbleweed" => Some("openSUSE:Tumbleweed".to_owned()),
        id if id.starts_with("opensuse") => marketing("openSUSE", os),
        id if id.starts_with("sle") || id.starts_with("sl-") => marketing("SUSE", os),
        "rhel" => red_hat(os, ENTERPRISE_LINUX),
        _ => None,
    }
}

const ENTERPRISE_LINUX: &str = "enterprise_linux";

/// What stands behind the vendor in `cpe:/o:redhat:enterprise_linux:9::baseos`.
fn red_hat_product(os: &OsRelease) -> Option<&str> {
    let name = os.cpe_name.strip_prefix("cpe:/")?;
    let product = name.get(1..)?.strip_prefix(":redhat:")?;
    (!product.is_empty()).then_some(product)
}

/// OSV's names end in the CPE of a repository. A package does not say which one it is from, and os-release names
/// one of them, so the release alone is named; the index of advisories does the same.
fn red_hat(os: &OsRelease, product: &str) -> Option<String> {
    match product.split(':').next() {
        Some(ENTERPRISE_LINUX) => Some(format!("Red Hat:{ENTERPRISE_LINUX}:{}", major(os)?)),
        _ => Some(format!("Red Hat:{product}")),
    }
}

/// `22.03-LTS-SP3` from `openEuler 22.03 (LTS-SP3)`. There are no advisories for releases between those for the
/// long term.
fn open_euler(os: &OsRelease) -> Option<String> {
    // Foreign SBOMs have one text for both: `22.03-LTS-SP3`.
    let (release, term) = match os.version_id.split_once('-') {
        Some((release, term)) => (release, term),
        None => (
            os.version_id.as_str(),
            os.version.strip_prefix(&os.version_id)?,
        ),
    };
    let is_release = release.split('.').all(is_number);
    let term = term.trim_start();
    let term = term.strip_prefix('(').unwrap_or(term);
    let term = term.strip_suffix(')').unwrap_or(term).replace(' ', "-");
    let pack = term.strip_prefix("LTS")?;
    let is_known = pack.is_empty() || pack.strip_prefix("-SP").is_some_and(is_number);
    (is_release && is_known).then(|| format!("openEuler:{release}-{term}"))
}

/// SUSE's ecosystems are called as its products are (OSV schema): `SUSE Linux Enterprise Server 15 SP5`. Foreign
/// SBOMs do not have that name, only what it is made of.
fn marketing(vendor: &str, os: &OsRelease) -> Option<String> {
    let product = match os.pretty_name.as_str() {
        "" => product(os)?,
        name => name
            .strip_prefix(vendor)?
            .strip_prefix(' ')?
            .trim()
            .to_owned(),
    };
    (!product.is_empty()).then(|| format!("{vendor}:{product}"))
}

/// `Linux Enterprise Server 15 SP5` of `sles` and `15.5`.
fn product(os: &OsRelease) -> Option<String> {
    let version = version(os)?;
    let (name, has_packs) = match os.id.as_str() {
        "sles" => ("Linux Enterprise Server", true),
        "sled" => ("Linux Enterprise Desktop", true),
        "sles_sap" => ("Linux Enterprise Server for SAP Applications", true),
        "sle_hpc" => ("Linux Enterprise High Performance Computing", true),
        "sle-micro" => ("Linux Enterprise Micro", false),
        "sl-micro" => ("Linux Micro", false),
        "opensuse-leap" => ("Leap", false),
        "opensuse-leap-micro" => ("Leap Micro", false),
        _ => return None,
    };
    // Since 16.0 there are no service packs.
    let pack = version
        .split_once('.')
        .filter(|(major, _)| has_packs && major.parse::<u32>().is_ok_and(|major| major < 16));
    Some(match pack {
        Some((major, "0")) => format!("{name} {major}"),
        Some((major, pack)) => format!("{name} {major} SP{pack}"),
        None => format!("{name} {version}"),
    })
}

/// `9` of `9.4`.
fn major(os: &OsRelease) -> Option<&str> {
    version(os)?.split('.').next()
}

fn version(os: &OsRelease) -> Option<&str> {
    let version = os.version_id.as_str();
    version.split('.').all(is_number).then_some(version)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What the records of a distribution call a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The package itself.
    Binary,
    /// The source package, with its epoch.
    Source,
    /// The source package. Their fixed versions come from the names of source packages, which have no epoch.
    SourceWithoutEpoch,
}

/// As OSV's archives have it, which is not always what the schema says of them (AlmaLinux).
pub(crate) fn naming(ecosystem: &str) -> Naming {
    match ecosystem.split(':').next() {
        Some("AlmaLinux" | "Red Hat") => Naming::Binary,
        Some("Azure Linux" | "Mageia" | "Photon OS" | "SUSE" | "openEuler" | "openSUSE") => {
            Naming::SourceWithoutEpoch
        }
        // Rocky Linux, and those whose packages nothing is matched with.
        _ => Naming::Source,
    }
}

/// `bash` and `5.1.8-6.el9` of the file name of a source package, `bash-5.1.8-6.el9.src.rpm`.
pub(crate) fn source_file(file: &str) -> Option<(&str, &str)> {
    let file = file.strip_suffix(".rpm")?;
    let file = file
        .strip_suffix(".src")
        .or_else(|| file.strip_suffix(".nosrc"))?;
    let (rest, release) = file.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let is_whole = !name.is_empty() && !version.is_empty() && !release.is_empty();
    let version = file.get(name.len().checked_add(1)?..)?;
    is_whole.then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_releases_as_osv_does() {
        let release = |id: &str, version_id: &str, pretty_name: &str, cpe_name: &str| {
            osv_release(&OsRelease {
                id: id.to_owned(),
                version_id: version_id.to_owned(),
                version: pretty_name
                    .strip_prefix("openEuler ")
                    .unwrap_or_default()
                    .to_owned(),
                pretty_name: pretty_name.to_owned(),
                cpe_name: cpe_name.to_owned(),
            })
        };
        #[rustfmt::skip]
        let cases = [
            ("almalinux", "9.4", "AlmaLinux 9.4 (Seafoam Ocelot)", "cpe:/o:almalinux:almalinux:9::baseos", Some("AlmaLinux:9")),
            ("almalinux", "10.0", "", "", Some("AlmaLinux:10")),
            ("almalinux", "", "", "", None),
            ("rocky", "8.9", "Rocky Linux 8.9 (Green Obsidian)", "cpe:/o:rocky:rocky:8:GA", Some("Rocky Linux:8")),
            ("rhel", "9.4", "Red Hat Enterprise Linux 9.4 (Plow)", "cpe:/o:redhat:enterprise_linux:9::baseos", Some("Red Hat:enterprise_linux:9")),
            ("rhel", "7.9", "Red Hat Enterprise Linux Server 7.9 (Maipo)", "cpe:/o:redhat:enterprise_linux:7.9:GA:server", Some("Red Hat:enterprise_linux:7")),
            ("rhel", "10.1", "", "cpe:/o:redhat:enterprise_linux:10.1", Some("Red Hat:enterprise_linux:10")),
            ("rhel", "8.10", "", "", Some("Red Hat:enterprise_linux:8")),
            ("hummingbird", "1", "", "cpe:/a:redhat:hummingbird:1", Some("Red Hat:hummingbird:1")),
            ("photon", "5.0", "VMware Photon OS/Linux", "", Some("Photon OS:5.0")),
            ("azurelinux", "3.0", "Microsoft Azure Linux 3.0", "", Some("Azure Linux:3")),
            ("mariner", "2.0", "CBL-Mariner/Linux", "", Some("Azure Linux:2")),
            ("mageia", "9", "Mageia 9", "cpe:/o:mageia:mageia:9", Some("Mageia:9")),
            ("openEuler", "22.03", "openEuler 22.03 (LTS-SP3)", "", Some("openEuler:22.03-LTS-SP3")),
            ("openEuler", "22.03", "openEuler 22.03 LTS", "", Some("openEuler:22.03-LTS")),
            ("openEuler", "20.03", "openEuler 20.03 (LTS SP1)", "", Some("openEuler:20.03-LTS-SP1")),
            ("openEuler", "23.09", "openEuler 23.09", "", None),
            ("opensuse-leap", "15.6", "openSUSE Leap 15.6", "cpe:/o:opensuse:leap:15.6", Some("openSUSE:Leap 15.6")),
            ("opensuse-tumbleweed", "20260101", "openSUSE Tumbleweed", "", Some("openSUSE:Tumbleweed")),
            ("sles", "15.5", "SUSE Linux Enterprise Server 15 SP5", "cpe:/o:suse:sles:15:sp5", Some("SUSE:Linux Enterprise Server 15 SP5")),
            ("sle-micro", "5.5", "SUSE Linux Enterprise Micro 5.5", "", Some("SUSE:Linux Enterprise Micro 5.5")),
            ("sles", "15.5", "", "", Some("SUSE:Linux Enterprise Server 15 SP5")),
            ("sles", "15", "", "", Some("SUSE:Linux Enterprise Server 15")),
            ("sles", "16.0", "", "", Some("SUSE:Linux Enterprise Server 16.0")),
            ("sle-micro", "5.5", "", "", Some("SUSE:Linux Enterprise Micro 5.5")),
            ("sle-other", "5.5", "", "", None),
            ("sles", "", "", "", None),
            ("opensuse-leap", "15.5", "", "", Some("openSUSE:Leap 15.5")),
            ("opensuse-leap", "15.5", "Leap", "", None),
            ("openEuler", "22.03-LTS-SP3", "", "", Some("openEuler:22.03-LTS-SP3")),
            ("openEuler", "x-LTS", "", "", None),
            ("centos", "9", "CentOS Stream 9", "cpe:/o:centos:centos:9", None),
            ("fedora", "42", "Fedora Linux 42", "cpe:/o:fedoraproject:fedora:42", None),
            ("amzn", "2023", "Amazon Linux 2023", "", None),
            ("ol", "9.3", "Oracle Linux Server 9.3", "cpe:/o:oracle:linux:9:3:server", None),
        ];
        for (id, version_id, pretty_name, cpe_name, expected) in cases {
            let actual = release(id, version_id, pretty_name, cpe_name);
            assert_eq!(
                actual.as_deref(),
                expected,
                "{id} {version_id} {pretty_name}"
            );
        }
    }

    #[test]
    fn sources_of_rpms_are_read_of_their_files() {
        for (file, expected) in [
            ("bash-5.1.8-6.el9.src.rpm", Some(("bash", "5.1.8-6.el9"))),
            ("a-b-1-2.nosrc.rpm", Some(("a-b", "1-2"))),
            ("-1-2.src.rpm", None),
            ("bash.src.rpm", None),
            ("bash-1-2.src", None),
            ("", None),
        ] {
            assert_eq!(source_file(file), expected, "{file}");
        }
    }

    #[test]
    fn records_name_what_their_archives_name() {
        assert_eq!(naming("AlmaLinux:9"), Naming::Binary);
        assert_eq!(naming("Red Hat:enterprise_linux:9"), Naming::Binary);
        assert_eq!(naming("Rocky Linux:9"), Naming::Source);
        assert_eq!(naming("Photon OS:5.0"), Naming::SourceWithoutEpoch);
        assert_eq!(naming(""), Naming::Source);
    }
}
