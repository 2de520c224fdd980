//! Packages that most programs do not need to run, by what they are for: managers, compilers, debuggers, servers and
//! shells.

/// Names of packages by what they are for.
const PURPOSES: &[(&str, &[&str])] = &[
    (
        "managers",
        &[
            "apt",
            "dpkg",
            "apk-tools",
            "rpm",
            "dnf",
            "microdnf",
            "yum",
            "zypper",
            "pip",
            "npm",
        ],
    ),
    (
        "compilers",
        &[
            "gcc",
            "g++",
            "clang",
            "cpp",
            "rustc",
            "golang",
            "golang-go",
            "go",
            "tcc",
            "binutils",
            "make",
        ],
    ),
    (
        "debuggers",
        &[
            "gdb",
            "gdbserver",
            "strace",
            "ltrace",
            "lldb",
            "tcpdump",
            "nmap",
        ],
    ),
    (
        "servers",
        &[
            "openssh-server",
            "telnetd",
            "vsftpd",
            "proftpd",
            "rsh-server",
            "tftpd-hpa",
        ],
    ),
    (
        "shells",
        &[
            "bash", "dash", "zsh", "ksh", "fish", "busybox", "mksh", "tcsh",
        ],
    ),
];

/// What names of such packages begin with.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    PURPOSES.iter().flat_map(|(_, names)| names.iter().copied())
}

/// Those of `names` that are of such packages, by purpose; a purpose that none has is there, too.
pub fn sorted<'n>(
    names: impl Iterator<Item = &'n str> + Clone,
) -> impl Iterator<Item = (&'static str, Vec<&'n str>)> {
    PURPOSES.iter().map(move |(purpose, known)| {
        // `gcc-12` and `python3-pip` are what their names begin or end with; a library of that name is not.
        let is_one = |name: &&str| known.iter().any(|known| is_called(name, known));
        let mut found: Vec<&str> = names.clone().filter(is_one).collect();
        found.sort_unstable();
        found.dedup();
        (*purpose, found)
    })
}

/// Whether a package has this name, or this name with a version behind it.
fn is_called(name: &str, known: &str) -> bool {
    match name.strip_prefix(known) {
        Some("") => true,
        Some(rest) => {
            let version = rest.strip_prefix('-').unwrap_or(rest);
            !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_known_with_their_versions() {
        for (name, known, is) in [
            ("gcc", "gcc", true),
            ("gcc-12", "gcc", true),
            ("gcc12", "gcc", true),
            ("gcc-12-base", "gcc", false),
            ("libgcc-s1", "gcc", false),
            ("bash-completion", "bash", false),
        ] {
            assert_eq!(is_called(name, known), is, "{name}");
        }
        let names = ["gcc-12", "libc6", "bash", "gcc-12"];
        let found: Vec<_> = sorted(names.into_iter())
            .filter(|(_, found)| !found.is_empty())
            .collect();
        assert_eq!(
            found,
            [("compilers", vec!["gcc-12"]), ("shells", vec!["bash"])]
        );
    }
}
