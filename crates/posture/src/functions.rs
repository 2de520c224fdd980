//! The functions that expressions know beside the language: those of `docs/reference/checks.md`.

use std::cmp::Ordering;

use jiff::Timestamp;
use seareeve_cel::{Duration, Environment, Function, Reason, Style, Value};

/// The language with our functions, and no variables.
pub(crate) fn environment() -> Environment {
    let global = |name: &str, arguments: usize, body: Body| {
        Function::new(
            name,
            Style::Global,
            arguments..=arguments,
            move |values, budget| {
                // Each of them looks at its texts a few times.
                for value in values {
                    budget.take_text(value.as_str().map_or(0, str::len))?;
                }
                body(values).map_err(|why| Reason::InvalidArgument(why.into()))
            },
        )
    };
    Environment::new()
        .function(global("within", 2, |values| match values {
            [path, folder] => Ok(is_within(text(path)?, text(folder)?).into()),
            _ => Err(WANTED.to_owned()),
        }))
        .function(global("octal", 1, |values| match values {
            [mode] => Ok(Value::Int(octal(text(mode)?)?)),
            _ => Err(WANTED.to_owned()),
        }))
        .function(global("exceeds", 2, |values| match values {
            [Value::Int(mode), limit] => Ok((mode & 0o777 & !octal(text(limit)?)? != 0).into()),
            _ => Err("a number and octal text are wanted".to_owned()),
        }))
        .function(global("image", 1, |values| match values {
            [reference] => image(text(reference)?),
            _ => Err(WANTED.to_owned()),
        }))
        .function(global("since", 2, |values| match values {
            [then, Value::Timestamp(now)] => {
                let then: Timestamp = text(then)?
                    .parse()
                    .map_err(|error| format!("no time: {error}"))?;
                let age = i64::try_from(now.nanoseconds() - then.as_nanosecond())
                    .map_err(|_| "too long ago".to_owned())?;
                Ok(Value::Duration(Duration::from_nanoseconds(age)))
            }
            _ => Err("a text and a timestamp are wanted".to_owned()),
        }))
        .function(global("compare_versions", 2, |values| match values {
            [one, other] => Ok(Value::Int(
                match compare_versions(text(one)?, text(other)?) {
                    Ordering::Less => -1,
                    Ordering::Equal => 0,
                    Ordering::Greater => 1,
                },
            )),
            _ => Err(WANTED.to_owned()),
        }))
}

type Body = fn(&[Value<'_>]) -> Result<Value<'static>, String>;

const WANTED: &str = "text is wanted";

fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| WANTED.to_owned())
}

/// Whether `path` is `folder` or lies below it, by whole names.
fn is_within(path: &str, folder: &str) -> bool {
    let (path, folder) = (names(path), names(folder));
    path.starts_with(&folder)
}

/// The names of a path, with `.` and `..` resolved in the text: nothing is above the root.
fn names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names
}

fn octal(text: &str) -> Result<i64, String> {
    i64::from_str_radix(text, 8)
        .ok()
        .filter(|mode| (0..=0o7777).contains(mode))
        .ok_or_else(|| format!("{text} is no octal mode"))
}

/// A reference's parts, as engines fill them in.
fn image(reference: &str) -> Result<Value<'static>, String> {
    let parsed: seareeve_model::ImageReference =
        reference.parse().map_err(|error| format!("{error}"))?;
    let digest = parsed.digest().map(ToString::to_string).unwrap_or_default();
    Ok(Value::map([
        ("registry", Value::from(parsed.registry().to_owned())),
        ("repository", Value::from(parsed.repository().to_owned())),
        (
            "tag",
            Value::from(parsed.tag().unwrap_or_default().to_owned()),
        ),
        ("digest", Value::from(digest)),
    ]))
}

/// By numbers between points; what comes after a suffix's mark does not count.
fn compare_versions(one: &str, other: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['~', '+', '-', ' ']).unwrap_or(text.len());
        let mut numbers: Vec<u64> = text
            .get(..end)
            .unwrap_or_default()
            .split('.')
            .map(|part| {
                let digits = part
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(part.len());
                part.get(..digits).unwrap_or_default().parse().unwrap_or(0)
            })
            .collect();
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        numbers
    };
    numbers(one).cmp(&numbers(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_whole_names() {
        let inside = [
            ("/run/docker.sock", "/run"),
            ("/run", "/run/"),
            ("/anything", "/"),
            ("//etc//docker/../ssh", "/etc/ssh"),
            ("/a/./b", "/a/b"),
        ];
        for (path, folder) in inside {
            assert!(is_within(path, folder), "{path} {folder}");
        }
        for (path, folder) in [("/runner", "/run"), ("/", "/run"), ("/run/..", "/run")] {
            assert!(!is_within(path, folder), "{path} {folder}");
        }
    }

    #[test]
    fn versions_are_compared_by_numbers() {
        let ordered = [
            "17.03.2-ce",
            "19.03.15",
            "20.10.9",
            "20.10.24+dfsg1",
            "v24.0.7~3",
            "28.0",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(
                compare_versions(pair[0], pair[1]),
                Ordering::Less,
                "{pair:?}"
            );
        }
        for (one, other) in [
            ("1.0", "1"),
            ("20.10.24", "20.10.24+dfsg1"),
            ("v1.2", "1.2.0"),
        ] {
            assert_eq!(compare_versions(one, other), Ordering::Equal);
        }
    }
}
