//! What an archive is, by what it says and by what speaks for it.
//!
//! Advisories name group and artifact, and most archives say both. Where one does not, a wrong guess would be a
//! false finding or, worse, hide a true one. So of the rules that others use only those are kept that were right
//! for the archives of Debian 12 of which the truth is known: `Implementation-Vendor-Id` was wrong for 14 of 17, the
//! common folder of the classes for 84 of 98. The exceptions from what is kept stand in `groups.txt`, which goes
//! before the rules.

use std::collections::BTreeSet;

use super::manifest::Manifest;
use super::{Coordinates, EXTENSIONS, known};

/// What was found in an archive.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Of `pom.properties`: its own and those of what was shaded into it.
    pub(super) poms: BTreeSet<Coordinates>,
    /// Group and artifact of the folders `META-INF/maven/<group>/<artifact>`.
    pub(super) pom_folders: Vec<(String, String)>,
    pub(super) manifest: Manifest,
    /// The first two folders of the classes.
    pub(super) folders: BTreeSet<Vec<u8>>,
    pub(super) has_classes: bool,
    pub(super) has_archives: bool,
}

/// What an archive is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// What it says.
    pub(super) names: Vec<Coordinates>,
    /// Whether its own name is among these.
    pub(super) is_told: bool,
    /// What else speaks for.
    pub(super) guess: Option<Coordinates>,
    /// Whether it is a library, so that something is missing when it has no name.
    pub(super) is_library: bool,
}

/// Says what the archive with this file name is.
pub(super) fn identify(name: &[u8], evidence: &Evidence) -> Identity {
    let file = FileName::parse(name);
    let manifest = &evidence.manifest;
    let mut names: Vec<Coordinates> = evidence.poms.iter().cloned().collect();
    // An archive that was renamed (`app.jar`) is its only pom.
    let mut is_told =
        names.iter().any(|name| file.is_of(name)) || (names.len() == 1 && file.version.is_none());
    if !is_told && let Some(own) = plugin(manifest).or_else(|| title(manifest)) {
        is_told = true;
        names.push(own);
    }
    let guess = || {
        pom_folder(&file, evidence)
            .or_else(|| tomcat(manifest))
            .or_else(|| known::find(&file, evidence))
            .or_else(|| bundle(&file, manifest))
    };
    let guess = if is_told { None } else { guess() };
    // What was put together of many is an application, and its makers know what it is. A library with a version
    // in its name may have one other library in it.
    let is_application = evidence.has_archives || manifest.start_class.is_some();
    let is_alone = names.is_empty() || (names.len() == 1 && file.version.is_some());
    Identity {
        is_library: evidence.has_classes && !is_told && is_alone && !is_application,
        names,
        is_told,
        guess,
    }
}

/// `artifact-version.jar`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) artifact: String,
    version: Option<String>,
}

impl FileName {
    pub(super) fn parse(name: &[u8]) -> Self {
        let file = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let file = String::from_utf8_lossy(file);
        let stem = match file.rsplit_once('.') {
            Some((stem, extension))
                if EXTENSIONS
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known)) =>
            {
                stem
            }
            _ => file.as_ref(),
        };
        let is_start = |(at, _): &(usize, &str)| {
            let next = stem.as_bytes().get(at.saturating_add(1));
            *at > 0 && next.is_some_and(u8::is_ascii_digit)
        };
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let mut start = None;
        let mut end = stem.len();
        // The last hyphen before a digit; `1.0-2` and `1.0-20240131.120000-1` are one version.
        for (at, _) in stem.rmatch_indices('-').filter(is_start) {
            let part = stem.get(at.saturating_add(1)..end).unwrap_or_default();
            if start.is_some() && !is_number(part) {
                break;
            }
            start = Some(at);
            end = at;
        }
        let split = start.and_then(|at| stem.split_at_checked(at));
        match split {
            Some((artifact, version)) => Self {
                artifact: artifact.to_owned(),
                version: version.get(1..).map(str::to_owned),
            },
            None => Self {
                artifact: stem.to_owned(),
                version: None,
            },
        }
    }

    /// Whether Maven gives this name to `name`, perhaps with another one that the build chose.
    fn is_of(&self, name: &Coordinates) -> bool {
        let is_artifact = self.artifact == name.artifact;
        let is_version = self.version.as_deref() == Some(name.version.as_str());
        is_artifact || is_version
    }

    /// The version: of the file name, unless that has more behind the version that the manifest has.
    pub(super) fn version(&self, manifest: &Manifest) -> Option<String> {
        let told = manifest
            .implementation_version
            .as_deref()
            .filter(|v| is_version(v));
        let bundle = manifest.bundle_version.as_deref().filter(|v| is_version(v));
        let file = self.version.as_deref().filter(|v| is_version(v));
        let classified = |file: &&str| {
            told.and_then(|told| file.strip_prefix(told))
                .is_some_and(|rest| rest.starts_with('-') && !rest.contains("SNAPSHOT"))
        };
        let version = match file {
            Some(file) if classified(&file) => told,
            Some(file) => Some(file),
            None => told.or(bundle),
        };
        version.map(str::to_owned)
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(char::is_whitespace)
}

/// Jenkins' plugins say everything.
fn plugin(manifest: &Manifest) -> Option<Coordinates> {
    let artifact = manifest
        .artifact_id
        .as_ref()
        .or(manifest.short_name.as_ref())?;
    // Private builds add who built them: `1.0-SNAPSHOT (private-01/01/2024-me)`.
    let version = manifest.plugin_version.as_deref()?.split(' ').next()?;
    Coordinates::checked(manifest.group_id.as_deref()?, artifact, version)
}

/// Gradle's Nebula plugins write `group#artifact;version` as title.
fn title(manifest: &Manifest) -> Option<Coordinates> {
    let (group, rest) = manifest.implementation_title.as_deref()?.split_once('#')?;
    let (artifact, version) = rest.split_once(';')?;
    Coordinates::checked(group, artifact, version)
}

/// A folder that Maven made, without the properties that it writes as well.
fn pom_folder(file: &FileName, evidence: &Evidence) -> Option<Coordinates> {
    let mut folders = evidence.pom_folders.iter();
    let (group, artifact) = folders.find(|(_, artifact)| *artifact == file.artifact)?;
    Coordinates::checked(group, artifact, &file.version(&evidence.manifest)?)
}

/// Tomcat's own build names its bundles after its artifacts, but without the group.
fn tomcat(manifest: &Manifest) -> Option<Coordinates> {
    let name = manifest.bundle_symbolic_name.as_deref()?;
    let artifact = name
        .strip_prefix("org.apache.")
        .filter(|rest| rest.starts_with("tomcat-"))?;
    let group = if artifact.starts_with("tomcat-embed-") {
        "org.apache.tomcat.embed"
    } else {
        "org.apache.tomcat"
    };
    let version = manifest
        .implementation_version
        .as_ref()
        .or(manifest.bundle_version.as_ref())?;
    Coordinates::checked(group, artifact, version)
}

/// Undoes the default of Maven's bundle plugin, which makes one name of group and artifact
/// (`Bundle-SymbolicName`): where they overlap, what is double stands once.
fn bundle(file: &FileName, manifest: &Manifest) -> Option<Coordinates> {
    let name = manifest.bundle_symbolic_name.as_deref()?;
    let artifact = file.artifact.as_str();
    let whole = name
        .strip_suffix(artifact)
        .and_then(|group| group.strip_suffix('.'))
        // With fewer parts it was wrong: `com.google.guava` is the group of guava.
        .filter(|group| artifact.contains('-') && group.split('.').count() >= 3);
    let overlapping = || {
        let (group, rest) = name.rsplit_once('.')?;
        let (_, last) = group.rsplit_once('.')?;
        let joined = artifact.strip_prefix(last)?.strip_prefix('-')?;
        // The older half of Apache Commons has groups of its own; `known` has both halves.
        (joined == rest && last != "commons").then_some(group)
    };
    let group = whole.or_else(overlapping)?;
    Coordinates::checked(group, artifact, &file.version(manifest)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_part_before_the_version() {
        for (name, artifact, version) in [
            ("log4j-core-2.17.1.jar", "log4j-core", Some("2.17.1")),
            ("log4j-1.2-api-2.19.0.jar", "log4j-1.2-api", Some("2.19.0")),
            ("guava-31.1-jre.jar", "guava", Some("31.1-jre")),
            ("WEB-INF/lib/a-1.0-2.JAR", "a", Some("1.0-2")),
            (
                "a-1.0-20240131.120000-1.jar",
                "a",
                Some("1.0-20240131.120000-1"),
            ),
            ("kafka_2.13-3.0.0.jar", "kafka_2.13", Some("3.0.0")),
            ("bcprov-jdk15on-1.70.jar", "bcprov-jdk15on", Some("1.70")),
            ("app.jar", "app", None),
            ("-1.jar", "-1", None),
            ("x.y", "x.y", None),
        ] {
            let expected = FileName {
                artifact: artifact.to_owned(),
                version: version.map(str::to_owned),
            };
            assert_eq!(FileName::parse(name.as_bytes()), expected, "{name}");
        }
    }

    /// What is said of an archive with this file name, manifest and class folder.
    fn guess(name: &str, manifest: &str, folder: &str) -> Option<String> {
        let evidence = Evidence {
            manifest: Manifest::parse(manifest.as_bytes()),
            folders: [folder.as_bytes().to_vec()].into(),
            has_classes: true,
            ..Evidence::default()
        };
        let identity = identify(name.as_bytes(), &evidence);
        let name = identity.names.into_iter().next().or(identity.guess)?;
        Some(format!("{}:{}@{}", name.group, name.artifact, name.version))
    }

    #[test]
    fn guesses_only_what_is_certain() {
        let none = "";
        for (name, manifest, folder, expected) in [
            (
                "jackson-databind-2.14.0.jar",
                "Bundle-SymbolicName: com.fasterxml.jackson.core.jackson-databind",
                "com/fasterxml",
                Some("com.fasterxml.jackson.core:jackson-databind@2.14.0"),
            ),
            (
                "netty-common-4.1.48.Final.jar",
                "Bundle-SymbolicName: io.netty.common",
                "io/netty",
                Some("io.netty:netty-common@4.1.48.Final"),
            ),
            // Which half is the group of `com.google.guava` does not stand there.
            (
                "guava-31.1-jre.jar",
                "Bundle-SymbolicName: com.google.guava",
                "com/google",
                None,
            ),
            (
                "commons-io-2.11.0.jar",
                "Bundle-SymbolicName: org.apache.commons.io",
                "org/apache",
                Some("commons-io:commons-io@2.11.0"),
            ),
            (
                "commons-lang3-3.12.0.jar",
                none,
                "org/apache",
                Some("org.apache.commons:commons-lang3@3.12.0"),
            ),
            (
                "commons-own-1.0.jar",
                "Bundle-SymbolicName: org.apache.commons.own",
                "org/apache",
                None,
            ),
            (
                "tomcat10-catalina-10.1.60.jar",
                "Bundle-SymbolicName: org.apache.tomcat-catalina\nImplementation-Version: 10.1.60",
                "org/apache",
                Some("org.apache.tomcat:tomcat-catalina@10.1.60"),
            ),
            (
                "tomcat-embed-core-9.0.65.jar",
                "Bundle-SymbolicName: org.apache.tomcat-embed-core\nBundle-Version: 9.0.65",
                "org/apache",
                Some("org.apache.tomcat.embed:tomcat-embed-core@9.0.65"),
            ),
            (
                "catalina.jar",
                "Implementation-Title: Apache Tomcat\nImplementation-Version: 8.5.32",
                "org/apache",
                Some("org.apache.tomcat:tomcat-catalina@8.5.32"),
            ),
            (
                "servlet-api.jar",
                "Implementation-Title: Apache Tomcat\nImplementation-Version: 8.5.32",
                "javax/servlet",
                Some("org.apache.tomcat:tomcat-servlet-api@8.5.32"),
            ),
            (
                "servlet-api.jar",
                "Implementation-Version: 2.5",
                "javax/servlet",
                None,
            ),
            (
                "spring-webmvc-5.3.17.jar",
                "Implementation-Title: spring-webmvc\nImplementation-Version: 5.3.17",
                "org/springframework",
                Some("org.springframework:spring-webmvc@5.3.17"),
            ),
            ("spring-webmvc-5.3.17.jar", none, "com/example", None),
            (
                "micrometer-core-1.8.0.jar",
                "Implementation-Title: io.micrometer#micrometer-core;1.8.0",
                "io/micrometer",
                Some("io.micrometer:micrometer-core@1.8.0"),
            ),
            (
                "git.jpi",
                "Group-Id: org.jenkins-ci.plugins\nShort-Name: git\nPlugin-Version: 4.10.0 (private)",
                "hudson/plugins",
                Some("org.jenkins-ci.plugins:git@4.10.0"),
            ),
            (
                "mysql-connector-java-8.0.28.jar",
                none,
                "com/mysql",
                Some("mysql:mysql-connector-java@8.0.28"),
            ),
            (
                "netty-tcnative-2.0.1-linux-x86_64.jar",
                "Bundle-SymbolicName: io.netty.tcnative\nImplementation-Version: 2.0.1",
                "io/netty",
                Some("io.netty:netty-tcnative@2.0.1"),
            ),
            (
                "own-1.0.jar",
                "Implementation-Vendor-Id: com.example\nImplementation-Title: own",
                "com/example",
                None,
            ),
        ] {
            assert_eq!(guess(name, manifest, folder).as_deref(), expected, "{name}");
        }
    }
}
