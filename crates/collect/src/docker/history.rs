//! How an image was built, as it says itself.

use serde::Deserialize;
use serde_json::{Value, json};

use seareeve_redact as redact;

/// Steps that are told.
const STEPS: usize = 2_000;
/// Bytes of one step that are told.
const STEP: usize = 16 << 10;

/// A step ("Get the history of an image").
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub(crate) struct Step {
    created: i64,
    created_by: String,
    size: i64,
}

/// The steps, the oldest one first, given the newest one first.
pub(crate) fn told(steps: &[Step]) -> Vec<Value> {
    let oldest_first = steps.iter().rev().take(STEPS);
    let mut has_begun = false;
    let told = oldest_first.map(|step| {
        let (instruction, text) = instruction(&step.created_by);
        let text = cut(text);
        let kept = redact::text(&text);
        // Also for a build argument, whose value is left out above.
        let is_redacted = redact::text(&step.created_by) != step.created_by;
        let first =
            !has_begun && (step.size > 0 || ["ADD", "COPY"].contains(&instruction.as_str()));
        has_begun |= first;
        json!({
            "instruction": instruction, "redacted": is_redacted, "text": kept, "size": step.size,
            "empty": step.size == 0, "first": first, "created": step.created,
        })
    });
    told.collect()
}

/// The Dockerfile's instruction and what follows it.
///
/// Docker before BuildKit wrote `/bin/sh -c #(nop)  ADD …` for all but `RUN`, for which it wrote the command that
/// ran, with `|2 A=x B=y` before it for two build arguments. BuildKit writes the instruction and `# buildkit`.
fn instruction(created_by: &str) -> (String, String) {
    const KNOWN: &[&str] = &[
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if let Some((_, rest)) = text.split_once("#(nop)") {
        let rest = rest.trim_start();
        let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        return (word.to_ascii_uppercase(), rest.trim().to_owned());
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if KNOWN.contains(&word) {
        let rest = rest.trim_start();
        let rest = if word == "RUN" {
            command(rest)
        } else {
            rest.to_owned()
        };
        return (word.to_owned(), rest);
    }
    let is_shell = text.starts_with('|') || text.starts_with("/bin/") || text.starts_with("cmd /S");
    if is_shell {
        return ("RUN".to_owned(), command(text));
    }
    (String::new(), text.to_owned())
}

/// A command without values of build arguments, and without the shell that ran it.
fn command(text: &str) -> String {
    let mut rest = text;
    let mut names = Vec::new();
    if let Some((count, after)) = text.strip_prefix('|').and_then(|text| text.split_once(' ')) {
        let count: usize = count.parse().unwrap_or_default();
        // Values may hold spaces, so they end where the shell begins.
        let shell = after.find(" /bin/").or_else(|| after.find(" cmd /S"));
        let (arguments, command) = after.split_at(shell.unwrap_or_default());
        let words = arguments.split(' ').filter_map(|word| word.split_once('='));
        names = words.map(|(name, _)| name.to_owned()).take(count).collect();
        rest = command.trim_start();
    }
    for shell in [
        "/bin/sh -c ",
        "/bin/bash -c ",
        "/bin/bash -o pipefail -c ",
        "/bin/ash -eo pipefail -c ",
    ] {
        rest = rest.strip_prefix(shell).unwrap_or(rest);
    }
    let arguments = names.iter().map(|name| format!("{name}= "));
    arguments.chain([rest.trim().to_owned()]).collect()
}

fn cut(mut text: String) -> String {
    if text.len() > STEP {
        let end = (0..=STEP).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_apart() {
        for (created_by, expected) in [
            (
                "/bin/sh -c #(nop) ADD file:abc in / ",
                ("ADD", "file:abc in /"),
            ),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", ("CMD", "[\"bash\"]")),
            ("/bin/sh -c apt-get update", ("RUN", "apt-get update")),
            (
                "RUN /bin/sh -c apt-get update # buildkit",
                ("RUN", "apt-get update"),
            ),
            (
                "RUN |1 TOKEN=secret value /bin/sh -c make # buildkit",
                ("RUN", "TOKEN= make"),
            ),
            ("|2 A=1 B=2 /bin/sh -c make", ("RUN", "A= B= make")),
            ("COPY . /app # buildkit", ("COPY", ". /app")),
            ("ADDUSER x", ("", "ADDUSER x")),
            (
                "# debian.sh --arch 'amd64' out/ 'bookworm'",
                ("", "# debian.sh --arch 'amd64' out/ 'bookworm'"),
            ),
            ("ENV A=b", ("ENV", "A=b")),
            ("", ("", "")),
        ] {
            let (instruction, text) = instruction(created_by);
            assert_eq!(
                (instruction.as_str(), text.as_str()),
                expected,
                "{created_by}"
            );
        }
    }

    #[test]
    fn the_oldest_step_with_content_is_the_first() {
        let step = |created_by: &str, size| Step {
            created: 1,
            created_by: created_by.to_owned(),
            size,
        };
        let told = told(&[
            step("|1 TOKEN=x /bin/sh -c make", 0),
            step("ENV DB_PASSWORD=x", 0),
            step("/bin/sh -c #(nop) ADD file:b in /b ", 5),
            step("/bin/sh -c #(nop) ADD file:a in / ", 9),
            step("ARG V", 0),
        ]);
        let seen: Vec<(&str, bool, bool)> = told
            .iter()
            .map(|step| {
                (
                    step["text"].as_str().unwrap(),
                    step["first"].as_bool().unwrap(),
                    step["redacted"].as_bool().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("V", false, false),
                ("file:a in /", true, false),
                ("file:b in /b", false, false),
                ("DB_PASSWORD=[redacted]", false, true),
                ("TOKEN= make", false, true),
            ]
        );
    }
}
