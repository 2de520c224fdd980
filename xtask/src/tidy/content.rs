//! What Seareeve knows, as data: every file says its name, and detections and checks show what they mean.

use super::{Tree, Violations, numbered};

/// Folders whose files must carry examples; the others (mappings, advisories) and lists have nothing that fires.
const WITH_EXAMPLES: &[&str] = &["content/checks/", "content/detections/", "content/secrets/"];

/// The id is the file's name; a benchmark's file has its edition after it, and conditions know a list by its `name`.
/// A file of macros is Falco's and has neither.
pub(super) fn ids(tree: &Tree, found: &mut Violations) {
    for path in yaml(tree).filter(|path| !path.starts_with("content/macros/")) {
        let key = match path.starts_with("content/lists/") {
            true => "name",
            false => "id",
        };
        let name = path
            .rsplit('/')
            .next()
            .and_then(|file| file.rsplit_once('.'))
            .map_or("", |(name, _)| name);
        let text = tree.text(path).unwrap_or_default();
        match top_level(&text, key) {
            None => found.add(path, 1, format!("has no `{key}:`")),
            Some((line, id))
                if id != name && edition_of(path, &text, id).as_deref() != Some(name) =>
            {
                found.add(
                    path,
                    line,
                    format!("{key} {id} differs from the file's name"),
                );
            }
            Some(_) => {}
        }
    }
}

/// `cis-docker-1.8.0`, for a benchmark.
fn edition_of(path: &str, text: &str, id: &str) -> Option<String> {
    path.starts_with("content/benchmarks/").then_some(())?;
    let (_, version) = top_level(text, "version")?;
    Some(format!("{id}-{version}"))
}

/// A detection or check without an example is a claim.
pub(super) fn examples(tree: &Tree, found: &mut Violations) {
    let has_to = |path: &str| {
        WITH_EXAMPLES.iter().any(|folder| path.starts_with(folder)) && !path.contains("/lists/")
    };
    for path in yaml(tree).filter(|path| has_to(path)) {
        if top_level(&tree.text(path).unwrap_or_default(), "examples").is_none() {
            found.add(path, 1, "has no `examples:`");
        }
    }
}

fn yaml(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.ending(&["yaml", "yml"])
        .filter(|path| path.starts_with("content/"))
}

/// Line and value of a key at the top of a YAML document, also where it is the first key of a list's item.
fn top_level<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    numbered(text).find_map(|(number, line)| {
        let value = line.strip_prefix(key)?.strip_prefix(':')?;
        let value = value.split(" #").next().unwrap_or(value);
        Some((number, value.trim().trim_matches(['"', '\''])))
    })
}

#[cfg(test)]
mod tests {
    use super::super::violations_of;
    use super::*;

    #[test]
    fn ids_that_differ_from_the_name_are_found() {
        let files = [
            (
                "content/checks/docker/docker.container.privileged.yaml",
                "title: x\nid: docker.container.privileged # ours\n",
            ),
            (
                "content/detections/host/shell.yaml",
                "# Words.\nid: \"shells\"\n",
            ),
            (
                "content/benchmarks/cis-docker-1.8.0.yaml",
                "id: cis-docker\nversion: \"1.8.0\"\n",
            ),
            (
                "content/benchmarks/cis-docker-1.6.0.yaml",
                "id: cis-docker\nversion: \"1.7.0\"\n",
            ),
            ("content/lists/miners.yaml", "items:\n  - id: miners\n"),
            ("content/lists/paths.yaml", "name: paths\n"),
            ("content/macros/syscall.yaml", "- macro: m\n"),
            ("docs/other.yaml", "id: x\n"),
        ];
        assert_eq!(
            violations_of(ids, &files),
            [
                "content/benchmarks/cis-docker-1.6.0.yaml:1: id cis-docker differs from the file's name",
                "content/detections/host/shell.yaml:2: id shells differs from the file's name",
                "content/lists/miners.yaml:1: has no `name:`",
            ]
        );
    }

    #[test]
    fn detections_and_checks_without_examples_are_found() {
        let files = [
            (
                "content/checks/a/a.yaml",
                "id: a\nexamples:\n  - fires: {}\n",
            ),
            ("content/detections/a/b.yaml", "id: b\n"),
            ("content/lists/c.yaml", "id: c\n"),
            ("content/secrets/d.yaml", "id: d\n"),
            ("content/secrets/lists/e.yaml", "id: e\n"),
        ];
        assert_eq!(
            violations_of(examples, &files),
            [
                "content/detections/a/b.yaml:1: has no `examples:`",
                "content/secrets/d.yaml:1: has no `examples:`",
            ]
        );
    }
}
