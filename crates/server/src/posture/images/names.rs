//! How an image may be called in the store.

use seareeve_admission::full_name;
use seareeve_model::{Digest, ImageReference};

/// What Docker leaves out of names.
const DOCKER: &str = "docker.io/";
const LIBRARY: &str = "library/";

/// As it was sent, in full, and as Docker's archives shorten it. A digest says which image it is, whatever the
/// repository.
pub(crate) fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    // A digest alone would also do as the name of an image with a tag.
    if name.parse::<Digest>().is_ok() {
        return all;
    }
    if let Ok(reference) = name.parse::<ImageReference>()
        && let Some(digest) = reference.digest()
    {
        all.push(digest.to_string());
    }
    if let Some(full) = full_name(name) {
        if let Some(short) = full.strip_prefix(DOCKER) {
            all.push(short.to_owned());
            all.extend(short.strip_prefix(LIBRARY).map(str::to_owned));
        }
        all.push(full);
    }
    all
}

/// An image of this name with this digest, as a reference in full; nothing, if the name is none.
pub(crate) fn pinned(name: &str, digest: &str) -> Option<String> {
    let reference: ImageReference = name.parse().ok()?;
    Some(format!(
        "{}/{}@{digest}",
        reference.registry(),
        reference.repository()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_looked_for_under_all_their_names() {
        let digest = "sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";
        assert_eq!(
            spellings("nginx"),
            [
                "nginx",
                "library/nginx:latest",
                "nginx:latest",
                "docker.io/library/nginx:latest"
            ]
        );
        let name = format!("r.example/a:1@{digest}");
        let full = format!("r.example/a@{digest}");
        assert_eq!(
            spellings(&name),
            [name.clone(), digest.to_owned(), full.clone()]
        );
        assert_eq!(spellings(digest), [digest]);
        assert_eq!(pinned("r.example/a:1", digest), Some(full));
        assert_eq!(pinned("A B", digest), None);
    }
}
