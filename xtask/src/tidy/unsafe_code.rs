//! Where the compiler's promises are lifted: only in the files on this list.

use super::{Tree, Violations, numbered};

/// The files that may, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "crates/cli/src/allocator.rs",
        "tells the C library how many arenas to keep, for which there is no safe call",
    ),
    (
        "crates/scan/src/advisories/database.rs",
        "maps the database's file, which no safe code can promise to stay unchanged",
    ),
];

/// The keyword, in pieces, because this file is searched too.
const KEYWORD: &str = concat!("un", "safe");

/// What follows the keyword where it is one and not a word in a text.
const FOLLOWERS: &[&str] = &["{", "fn", "impl", "trait", "extern", "("];

/// The keyword stands in listed files only, and every listed file needs its entry.
pub(super) fn unsafe_code(tree: &Tree, found: &mut Violations) {
    check(tree, found, ALLOWED);
}

fn check(tree: &Tree, found: &mut Violations, allowed: &[(&str, &str)]) {
    for path in tree.ending(&["rs"]) {
        let text = tree.text(path).unwrap_or_default();
        let lines: Vec<usize> = numbered(&text)
            .filter(|(_, line)| has_keyword(line))
            .map(|(number, _)| number)
            .collect();
        let is_allowed = allowed.iter().any(|(file, _)| *file == path);
        if is_allowed && lines.is_empty() {
            found.add(
                path,
                1,
                format!("is listed and has no `{KEYWORD}`: remove it from the list"),
            );
        }
        for line in lines.into_iter().filter(|_| !is_allowed) {
            found.add(
                path,
                line,
                format!("`{KEYWORD}` in a file that is not on the list in xtask/src/tidy"),
            );
        }
    }
    for (path, _) in allowed.iter().filter(|(path, _)| !tree.has(path)) {
        found.add(path, 1, "is listed and not there: remove it from the list");
    }
}

fn has_keyword(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    code.match_indices(KEYWORD).any(|(at, word)| {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        let after = code
            .get(at..)
            .and_then(|rest| rest.strip_prefix(word))
            .unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let rest = after.trim_start();
        !before.is_some_and(is_word)
            && !after.starts_with(is_word)
            && (rest.is_empty() || FOLLOWERS.iter().any(|follower| rest.starts_with(follower)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::violations_of;
    use super::*;

    #[test]
    fn the_keyword_is_told_from_words() {
        for (line, is_keyword) in [
            ("let x = KEYWORD { read() };", true),
            ("pub KEYWORD fn f() {}", true),
            ("KEYWORD", true),
            ("#[KEYWORD(no_mangle)]", true),
            ("#![deny(KEYWORD_code)]", false),
            ("// KEYWORD { no }", false),
            ("let text = \"KEYWORD words\";", false),
        ] {
            assert_eq!(
                has_keyword(&line.replace("KEYWORD", KEYWORD)),
                is_keyword,
                "{line}"
            );
        }
    }

    #[test]
    fn files_outside_the_list_and_idle_entries_are_found() {
        let code = format!("fn f() {{ {KEYWORD} {{ g() }} }}\n");
        let files = [
            ("a.rs", code.as_str()),
            ("b.rs", code.as_str()),
            ("c.rs", "fn f() {}\n"),
        ];
        let rule = |tree: &Tree, found: &mut Violations| {
            check(
                tree,
                found,
                &[("b.rs", "maps"), ("c.rs", "mapped"), ("d.rs", "gone")],
            );
        };
        assert_eq!(
            violations_of(rule, &files),
            [
                format!("a.rs:1: `{KEYWORD}` in a file that is not on the list in xtask/src/tidy"),
                format!("c.rs:1: is listed and has no `{KEYWORD}`: remove it from the list"),
                "d.rs:1: is listed and not there: remove it from the list".to_owned(),
            ]
        );
    }
}
