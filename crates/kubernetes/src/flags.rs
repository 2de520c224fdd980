//! Command lines of programs written in Go: `--name=value`, `--name value`, `--name`, and which of several counts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use seareeve_redact as redact;

/// Most arguments that are looked at. Linux has a limit of 2 MiB for all of them.
const MAX_ARGUMENTS: usize = 10_000;

/// A command line, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    given: BTreeMap<String, Vec<Given>>,
    positional: Vec<String>,
}

/// One occurrence of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    /// None where it stands alone, which makes a truth value true.
    value: Option<String>,
}

/// How the occurrences of a flag make its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The last one counts.
    One,
    /// Each is a list, separated by commas; together they are one.
    List,
    /// Each is one entry of a list.
    Entries,
    /// Each is `a=true,b=false`; later ones win.
    Map,
}

impl Flags {
    /// Takes `arguments` apart, the program's name not among them.
    ///
    /// A word without dashes that follows a flag is its value. A program that knows the flag as a truth value would
    /// refuse to start with such a word, so for one that runs there is no doubt. `_` is as good as `-` in a name.
    #[must_use]
    pub fn parse(arguments: &[String]) -> Self {
        let mut flags = Self::default();
        let mut arguments = arguments.iter().take(MAX_ARGUMENTS).peekable();
        while let Some(argument) = arguments.next() {
            let Some(body) = argument
                .strip_prefix("--")
                .or_else(|| argument.strip_prefix('-'))
            else {
                flags.positional.push(argument.clone());
                continue;
            };
            if body.is_empty() {
                // What follows `--` is no flag.
                flags.positional.extend(arguments.cloned());
                break;
            }
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (body, arguments.next_if(|next| is_value(next)).cloned()),
            };
            let name = name.replace('_', "-");
            flags.given.entry(name).or_default().push(Given { value });
        }
        flags
    }

    /// Whether the flag is given at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The text of the last occurrence; `""` for one that stands alone.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&str> {
        let last = self.given.get(name)?.last()?;
        Some(last.value.as_deref().unwrap_or_default())
    }

    /// What the occurrences come to.
    pub(crate) fn value(&self, name: &str, shape: Shape) -> Option<Value> {
        let given = self.given.get(name)?;
        let texts = given
            .iter()
            .map(|given| given.value.as_deref().unwrap_or_default());
        Some(match shape {
            Shape::One => match given.last()?.value.as_deref() {
                Some(text) => typed(text),
                None => Value::Bool(true),
            },
            Shape::Entries => texts.map(Value::from).collect(),
            Shape::List => texts
                .flat_map(|text| text.split(','))
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(Value::from)
                .collect(),
            Shape::Map => Value::Object(self.map(name)),
        })
    }

    /// The entries of a flag such as `--feature-gates`.
    pub(crate) fn map(&self, name: &str) -> Map<String, Value> {
        let given = self.given.get(name).into_iter().flatten();
        given
            .filter_map(|given| given.value.as_deref())
            .flat_map(|text| text.split(','))
            .filter_map(|entry| entry.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), typed(value.trim())))
            .collect()
    }

    /// The names of all flags.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// All flags with all their values, without credentials.
    pub(crate) fn to_json(&self) -> Value {
        let flags = self.given.iter().map(|(name, given)| {
            let values = given.iter().map(|given| match &given.value {
                None => Value::Bool(true),
                Some(_) if redact::is_credential_name(name) => redact::REDACTED.into(),
                Some(value) => redact::text(value).into(),
            });
            (name.clone(), values.collect())
        });
        Value::Object(flags.collect())
    }

    /// What is no flag, without credentials.
    pub(crate) fn positional(&self) -> Vec<String> {
        redact::arguments(&self.positional)
    }
}

/// A negative number is a value, too.
fn is_value(argument: &str) -> bool {
    match argument.strip_prefix('-') {
        None => true,
        Some(rest) => rest.starts_with(|c: char| c.is_ascii_digit()),
    }
}

/// The truth value, number or text that a flag's text stands for, as Go's `strconv.ParseBool` has it but for `1`
/// and `0`, which are more often numbers.
pub(crate) fn typed(text: &str) -> Value {
    match text {
        "true" | "TRUE" | "True" | "t" | "T" => Value::Bool(true),
        "false" | "FALSE" | "False" | "f" | "F" => Value::Bool(false),
        _ => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_no_number) => redact::text(text).into(),
        },
    }
}

/// The seconds of a duration as Go writes it: `4h0m0s`, `1.5m`, `300ms`, `0`.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    if rest == "0" {
        return Some(0.0);
    }
    let mut total = 0.0;
    let mut has_any = false;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number * unit;
        has_any = true;
        rest = tail;
    }
    (has_any && f64::is_finite(total)).then_some(total * sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(arguments: &[&str]) -> Flags {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        Flags::parse(&arguments)
    }

    #[test]
    fn the_last_of_several_counts_and_lists_grow() {
        let flags = parse(&[
            "--profiling=true",
            "--profiling=false",
            "--authorization-mode=Node",
            "--authorization_mode",
            "RBAC,Webhook",
            "--feature-gates=A=true,B=false",
            "--feature-gates",
            "A=false",
            "--service-account-key-file=/a,b",
            "--service-account-key-file=/c",
            "--pod-max-pids",
            "-1",
            "--alone",
            "-v",
            "2",
            "--",
            "--rest",
        ]);
        for (name, shape, wanted) in [
            ("profiling", Shape::One, json!(false)),
            (
                "authorization-mode",
                Shape::List,
                json!(["Node", "RBAC", "Webhook"]),
            ),
            ("feature-gates", Shape::Map, json!({"A": false, "B": false})),
            (
                "service-account-key-file",
                Shape::Entries,
                json!(["/a,b", "/c"]),
            ),
            ("pod-max-pids", Shape::One, json!(-1)),
            ("alone", Shape::One, json!(true)),
            ("v", Shape::One, json!(2)),
        ] {
            assert_eq!(flags.value(name, shape), Some(wanted), "{name}");
        }
        assert_eq!(flags.value("rest", Shape::One), None);
        assert_eq!(flags.positional(), ["--rest"]);
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, wanted) in [
            ("4h0m0s", Some(14_400.0)),
            ("0s", Some(0.0)),
            ("0", Some(0.0)),
            ("1.5m", Some(90.0)),
            ("-1s", Some(-1.0)),
            ("", None),
            ("5", None),
            ("5x", None),
            ("h", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }
}
