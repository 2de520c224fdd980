//! The main section of `META-INF/MANIFEST.MF` (JAR File Specification, "JAR Manifest"), and Maven's
//! `pom.properties` (`java.util.Properties`, as far as Maven's archiver writes it).

use super::Coordinates;

/// The headers that tell what an archive is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) implementation_title: Option<String>,
    pub(super) implementation_version: Option<String>,
    pub(super) bundle_symbolic_name: Option<String>,
    pub(super) bundle_version: Option<String>,
    /// Of Jenkins' plugins.
    pub(super) group_id: Option<String>,
    pub(super) artifact_id: Option<String>,
    pub(super) short_name: Option<String>,
    pub(super) plugin_version: Option<String>,
    /// The class of an application that Spring Boot starts.
    pub(super) start_class: Option<String>,
}

impl Manifest {
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut manifest = Self::default();
        for (name, value) in headers(text) {
            let name = name.to_ascii_lowercase();
            let field = match name.as_slice() {
                b"implementation-title" => &mut manifest.implementation_title,
                b"implementation-version" => &mut manifest.implementation_version,
                b"bundle-symbolicname" => &mut manifest.bundle_symbolic_name,
                b"bundle-version" => &mut manifest.bundle_version,
                b"group-id" => &mut manifest.group_id,
                b"artifact-id" => &mut manifest.artifact_id,
                b"short-name" => &mut manifest.short_name,
                b"plugin-version" => &mut manifest.plugin_version,
                b"start-class" => &mut manifest.start_class,
                _ => continue,
            };
            let value = String::from_utf8_lossy(value.trim_ascii()).into_owned();
            *field = Some(value).filter(|value| !value.is_empty());
        }
        // OSGi Core 3.2.1: attributes follow the name.
        if let Some(name) = &mut manifest.bundle_symbolic_name {
            let bare = name.split(';').next().unwrap_or_default().trim().len();
            name.truncate(bare);
        }
        manifest
    }
}

/// The headers of the main section, with continued lines joined.
fn headers(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    // Lines end in CR LF, LF or CR. The first empty one ends the section.
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, ending) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = ending
            .strip_prefix(b"\r\n")
            .or_else(|| ending.get(1..))
            .unwrap_or_default();
        if line.is_empty() {
            break;
        }
        if let Some(more) = line.strip_prefix(b" ") {
            if let Some((_, value)) = headers.last_mut() {
                value.extend_from_slice(more);
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
            let value = value.get(1..).unwrap_or_default();
            headers.push((name.to_vec(), value.to_vec()));
        }
    }
    headers
}

/// The three values of a `pom.properties`, if they are what Maven can have written.
pub(super) fn pom_properties(text: &[u8]) -> Option<Coordinates> {
    let (mut group, mut artifact, mut version) = (None, None, None);
    for line in text.split(|b| matches!(b, b'\n' | b'\r')) {
        let line = line.trim_ascii_start();
        if matches!(line.first(), None | Some(b'#' | b'!')) {
            continue;
        }
        let Some(split) = line.iter().position(|b| matches!(b, b'=' | b':')) else {
            continue;
        };
        let (key, value) = line.split_at_checked(split).unwrap_or((line, &[]));
        let field = match key.trim_ascii() {
            b"groupId" => &mut group,
            b"artifactId" => &mut artifact,
            b"version" => &mut version,
            _ => continue,
        };
        // Only ':' and '=' are escaped in values like these.
        let mut value = value.get(1..).unwrap_or_default().trim_ascii().to_vec();
        value.retain(|b| *b != b'\\');
        *field = Some(String::from_utf8_lossy(&value).into_owned());
    }
    Coordinates::checked(&group?, &artifact?, &version?)
}

impl Coordinates {
    /// `None` where these cannot be coordinates: unresolved `${…}`, blanks, paths.
    pub(super) fn checked(group: &str, artifact: &str, version: &str) -> Option<Self> {
        let longest = 256;
        let is_word = |text: &str, more: &[u8]| {
            let known = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
            !text.is_empty() && text.len() <= longest && text.bytes().all(known)
        };
        let is_sound =
            is_word(group, b".-_") && is_word(artifact, b".-_") && is_word(version, b".-_+~");
        is_sound.then(|| Self {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_main_section_only() {
        let text = b"Manifest-Version: 1.0\r\nIMPLEMENTATION-Title: a very long titl\r\n e\r\n\
            Bundle-SymbolicName: org.x.y ;singleton:=true\r\nnonsense\r\nBundle-Version:\r\n\r\n\
            Name: a/B.class\r\nImplementation-Version: 9\r\n";
        let manifest = Manifest::parse(text);
        assert_eq!(
            manifest,
            Manifest {
                implementation_title: Some("a very long title".to_owned()),
                bundle_symbolic_name: Some("org.x.y".to_owned()),
                ..Manifest::default()
            }
        );
        assert_eq!(
            Manifest::parse(b"Group-Id: g\rShort-Name: s")
                .short_name
                .as_deref(),
            Some("s")
        );
    }

    #[test]
    fn properties_need_all_three() {
        let whole =
            pom_properties(b"#Generated\nversion=1.2-rc\\:1\ngroupId = org.x\nartifactId:y\n");
        assert_eq!(whole, None, "a colon stands in no version");
        let whole =
            pom_properties(b"#Generated\r\nversion=1.2\r\ngroupId = org.x\r\nartifactId:y\r\n");
        assert_eq!(whole, Coordinates::checked("org.x", "y", "1.2"));
        assert!(whole.is_some());
        for broken in [
            "groupId=g\nartifactId=a\n",
            "groupId=g\nartifactId=a\nversion=\n",
            "groupId=g\nartifactId=a\nversion=${project.version}\n",
            "groupId=g\nartifactId=a b\nversion=1\n",
        ] {
            assert_eq!(pom_properties(broken.as_bytes()), None, "{broken}");
        }
    }
}
