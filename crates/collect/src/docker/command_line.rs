//! The command line of `dockerd`, as its own parser reads it (Go's pflag): `--x=v`, `--x v`, `-xv`, `-x v`, `-abc`,
//! the last one counts, those of lists add up.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::options::{Kind, Known, OPTIONS};

/// The value of every option that is given, by its key in the file; and what could not be understood.
pub(crate) fn parse(argv: &[String]) -> (BTreeMap<&'static str, Value>, Vec<String>) {
    let mut given = Given::default();
    let mut words = argv.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let Some(known) = OPTIONS.iter().find(|known| known.flag == name) else {
                given.unknown(word, value, &mut words);
                continue;
            };
            let value = match (value, known.kind) {
                (Some(value), _) => Some(value),
                (None, Kind::Bool) => Some("true"),
                (None, _) => words.next(),
            };
            given.set(known, value);
        } else if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
            given.shorts(shorts, &mut words);
        }
    }
    (given.values, given.problems)
}

#[derive(Default)]
struct Given {
    values: BTreeMap<&'static str, Value>,
    problems: Vec<String>,
}

impl Given {
    /// `-D`, `-DH x`, `-Hx`, `-H=x`
    fn shorts<'a>(&mut self, mut shorts: &'a str, words: &mut impl Iterator<Item = &'a str>) {
        while let Some(letter) = shorts.chars().next() {
            shorts = shorts.get(letter.len_utf8()..).unwrap_or_default();
            let Some(known) = OPTIONS.iter().find(|known| known.short == Some(letter)) else {
                self.problems
                    .push(format!("the option -{letter} is not known"));
                return;
            };
            let attached = shorts.strip_prefix('=');
            match (attached, known.kind) {
                (Some(value), _) => return self.set(known, Some(value)),
                (None, Kind::Bool) => self.set(known, Some("true")),
                (None, _) if shorts.is_empty() => return self.set(known, words.next()),
                (None, _) => return self.set(known, Some(shorts)),
            }
        }
    }

    /// Whether it takes the next word cannot be known, so that is looked at as well if it is an option itself.
    fn unknown<'a>(
        &mut self,
        word: &str,
        value: Option<&str>,
        words: &mut (impl Iterator<Item = &'a str> + Clone),
    ) {
        let name = word.split('=').next().unwrap_or_default();
        self.problems
            .push(format!("the option {name} is not known"));
        if value.is_none()
            && words
                .clone()
                .next()
                .is_some_and(|next| !next.starts_with('-'))
        {
            words.next();
        }
    }

    fn set(&mut self, known: &Known, value: Option<&str>) {
        let Some(value) = value else {
            self.problems.push(format!("--{} has no value", known.flag));
            return;
        };
        match known.kind {
            Kind::Text => self.put(known, value.into()),
            Kind::Bool => match boolean(value) {
                Some(value) => self.put(known, value.into()),
                None => self.wrong(known, value),
            },
            Kind::Number => match value.parse::<i64>() {
                Ok(value) => self.put(known, value.into()),
                Err(_no_number) => self.wrong(known, value),
            },
            Kind::List => {
                let list = self.values.entry(known.key).or_insert_with(|| json!([]));
                if let Value::Array(list) = list {
                    list.push(value.into());
                }
            }
            Kind::Map | Kind::Ulimits | Kind::Runtimes => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                let value = match known.kind {
                    Kind::Ulimits => match ulimit(value) {
                        Some(value) => value,
                        None => return self.wrong(known, value),
                    },
                    Kind::Runtimes => json!({"path": value}),
                    Kind::Map | Kind::Text | Kind::Bool | Kind::Number | Kind::List => value.into(),
                };
                let map = self.values.entry(known.key);
                if let Value::Object(map) = map.or_insert_with(|| Map::new().into()) {
                    map.insert(name.to_owned(), value);
                }
            }
        }
    }

    fn put(&mut self, known: &Known, value: Value) {
        self.values.insert(known.key, value);
    }

    fn wrong(&mut self, known: &Known, value: &str) {
        let value: String = value.chars().take(100).collect();
        self.problems
            .push(format!("--{} cannot be {value:?}", known.flag));
    }
}

/// As Go's `strconv.ParseBool` reads it.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// `soft` or `soft:hard`
fn ulimit(text: &str) -> Option<Value> {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let soft: i64 = soft.parse().ok()?;
    let hard: i64 = hard.parse().ok()?;
    Some(json!({"soft": soft, "hard": hard}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (Value, Vec<String>) {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (values, problems) = parse(&argv);
        (json!(values), problems)
    }

    #[test]
    fn options_are_read_as_dockerd_reads_them() {
        for (line, expected) in [
            ("dockerd", json!({})),
            ("dockerd -D", json!({"debug": true})),
            ("dockerd --debug=false", json!({"debug": false})),
            // The word after a switch is no value of it.
            (
                "dockerd --debug false --icc=0",
                json!({"debug": true, "icc": false}),
            ),
            (
                "dockerd -l warn --log-level error",
                json!({"log-level": "error"}),
            ),
            ("dockerd -lerror", json!({"log-level": "error"})),
            ("dockerd -l=error", json!({"log-level": "error"})),
            (
                "dockerd -H fd:// -H=tcp://0.0.0.0:2375 --host unix:///a",
                json!({"hosts": ["fd://", "tcp://0.0.0.0:2375", "unix:///a"]}),
            ),
            (
                "dockerd -DH tcp://a:1",
                json!({"debug": true, "hosts": ["tcp://a:1"]}),
            ),
            (
                "dockerd --live-restore=true --live-restore=false",
                json!({"live-restore": false}),
            ),
            (
                "dockerd --log-opt max-size=1m --log-opt tag={{.Name}}=x",
                json!({"log-opts": {"max-size": "1m", "tag": "{{.Name}}=x"}}),
            ),
            (
                "dockerd --default-ulimit nofile=10:20 --default-ulimit nproc=5",
                json!({"default-ulimits": {"nofile": {"soft": 10, "hard": 20}, "nproc": {"soft": 5, "hard": 5}}}),
            ),
            (
                "dockerd --add-runtime kata=/usr/bin/kata",
                json!({"runtimes": {"kata": {"path": "/usr/bin/kata"}}}),
            ),
            ("dockerd --graph /data", json!({"data-root": "/data"})),
            ("dockerd -- --debug", json!({})),
            (
                "dockerd --no-new-privileges=false --userland-proxy=F",
                json!({"no-new-privileges": false, "userland-proxy": false}),
            ),
        ] {
            assert_eq!(parsed(line), (expected, vec![]), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, expected, problem) in [
            (
                "dockerd --novel x --debug",
                json!({"debug": true}),
                "the option --novel is not known",
            ),
            (
                "dockerd --novel=x --debug",
                json!({"debug": true}),
                "the option --novel is not known",
            ),
            (
                "dockerd --novel --debug",
                json!({"debug": true}),
                "the option --novel is not known",
            ),
            ("dockerd -Z", json!({}), "the option -Z is not known"),
            ("dockerd --log-level", json!({}), "--log-level has no value"),
            (
                "dockerd --icc=maybe",
                json!({}),
                "--icc cannot be \"maybe\"",
            ),
            (
                "dockerd --default-ulimit nofile=x",
                json!({}),
                "--default-ulimit cannot be \"x\"",
            ),
        ] {
            assert_eq!(parsed(line), (expected, vec![problem.to_owned()]), "{line}");
        }
    }
}
