//! Package databases, manifests and lock files: any bytes at any paths of an image of up to four layers.
//!
//! The form is that of the scanner's fixtures: a line `=== LAYER PATH` begins a file, `=== LAYER LINK -> TARGET`
//! makes a link.

use crate::Target;
use crate::made::{self, Entry};

pub(super) const TARGET: Target = Target {
    name: "packages",
    run,
    longest: 12 << 10,
    seeds,
    words: &[
        "=== 0 etc/os-release\nID=debian\nVERSION_ID=12\n",
        "=== 0 var/lib/dpkg/status\n",
        "=== 1 var/lib/dpkg/status.d/a\n",
        "=== 0 lib/apk/db/installed\n",
        "=== 0 var/lib/rpmmanifest/container-manifest-2\n",
        "=== 0 a-1.dist-info/METADATA\n",
        "=== 0 a.egg-info\n",
        "=== 0 requirements.txt\n",
        "=== 0 Pipfile.lock\n",
        "=== 0 poetry.lock\n",
        "=== 0 pdm.lock\n",
        "=== 0 uv.lock\n",
        "=== 0 pylock.toml\n",
        "=== 0 node_modules/a/package.json\n",
        "=== 0 package-lock.json\n",
        "=== 0 yarn.lock\n",
        "=== 0 pnpm-lock.yaml\n",
        "=== 0 go.mod\n",
        "=== 0 Cargo.lock\n",
        "=== 0 specifications/a-1.gemspec\n",
        "=== 0 Gemfile.lock\n",
        "=== 0 vendor/composer/installed.json\n",
        "=== 0 composer.lock\n",
        "=== 0 a.deps.json\n",
        "=== 0 packages.lock.json\n",
        "=== 0 packages.config\n",
        " -> ",
        "Package: ",
        "Version: ",
        "Status: install ok installed\n",
        "Source: a (1)\n",
        "Name: ",
        "P:a\nV:1-r0\n",
        "o:a\n",
        "\"version\"",
        "\"dependencies\"",
        "\"packages\"",
        "\"resolved\"",
        "\"dev\"",
        "\"link\"",
        "[[package]]\nname = \"a\"\nversion = \"1\"\n",
        "source = \"registry+x\"\n",
        "lockfileVersion: 9\n",
        "packages:\n  ",
        "a@npm:1.0.0",
        "__metadata:\n  version: 8\n",
        "GEM\n  specs:\n",
        "# stub: a 1 x y\n",
        "require (\n",
        "replace a => b v2\n",
        "// indirect",
        "<package id=\"a\" version='1'/>",
        "<!--",
        "&amp;",
        "&a ",
        "*a",
        "<<: ",
        "==",
        "--hash=",
        "\"\"\"",
    ],
};

fn run(input: &[u8]) {
    let mut layers: Vec<Vec<Entry<'_>>> = Vec::new();
    for section in made::parts(input, b"=== ", 24).into_iter().skip(1) {
        let line = section.iter().position(|byte| *byte == b'\n');
        let (head, content) = section.split_at(line.unwrap_or(section.len()));
        let content = content.get(1..).unwrap_or_default();
        let Some((layer, path)) = head.split_first() else {
            continue;
        };
        let layer = usize::from(layer % 4);
        layers.resize_with(layers.len().max(layer.saturating_add(1)), Vec::new);
        let path = path.strip_prefix(b" ").unwrap_or(path);
        let entry = match *made::parts(path, b" -> ", 2) {
            [link, target] => Entry::Link(link, target),
            _ => Entry::File(path, content),
        };
        if let Some(entries) = layers.get_mut(layer) {
            entries.push(entry);
        }
    }
    made::inventory(&layers);
}

/// The fixtures, but for those with databases of rpm, which have targets of their own.
fn seeds() -> Vec<Vec<u8>> {
    made::folder("../crates/scan/tests/fixtures/ecosystems")
        .into_iter()
        .filter(|(name, _)| name.ends_with(".image"))
        .map(|(_, content)| content)
        .filter(|content| !content.windows(3).any(|window| window == b" < "))
        .map(|content| bytes(&String::from_utf8_lossy(&content)))
        .collect()
}

/// Undoes `\xNN`.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.push(u8::from_str_radix(digits, 16).unwrap_or_default());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}
