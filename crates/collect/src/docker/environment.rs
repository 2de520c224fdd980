//! Environments of containers, images and services: the names, and never the values.

use serde_json::{Value, json};

use seareeve_redact as redact;

/// Variables that are told.
const VARIABLES: usize = 2_000;

/// What is told of `NAME=value` pairs.
pub(crate) fn told<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    let told = pairs.into_iter().take(VARIABLES).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let credential = if value.is_empty() {
            ""
        } else if redact::is_credential_name(name) {
            "name"
        } else if redact::has_credential_form(value) {
            "value"
        } else {
            ""
        };
        json!({"name": name, "empty": value.is_empty(), "credential": credential})
    });
    told.collect()
}

/// How many name a file that holds a credential, as images read them: `DB_PASSWORD_FILE=/run/secrets/db`.
pub(crate) fn secret_files<'a>(pairs: impl IntoIterator<Item = &'a str>) -> usize {
    let names = pairs.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.strip_suffix("_FILE").filter(|_| !value.is_empty())
    });
    names
        .filter(|name| redact::is_credential_name(name))
        .count()
}

/// The texts of a list.
pub(crate) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_kept() {
        let pairs = [
            "PATH=/bin",
            "DB_PASSWORD=hunter2",
            "DB_PASSWORD_FILE=/run/secrets/db",
            "API_TOKEN=",
            "URL=postgres://u:p@h/",
            "BARE",
        ];
        let told = told(pairs);
        assert_eq!(
            json!(told),
            json!([
                {"name": "PATH", "empty": false, "credential": ""},
                {"name": "DB_PASSWORD", "empty": false, "credential": "name"},
                {"name": "DB_PASSWORD_FILE", "empty": false, "credential": ""},
                {"name": "API_TOKEN", "empty": true, "credential": ""},
                {"name": "URL", "empty": false, "credential": "value"},
                {"name": "BARE", "empty": true, "credential": ""},
            ])
        );
        assert_eq!(secret_files(pairs), 1);
    }
}
