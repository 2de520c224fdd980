//! What is stored of a list, checked, and how it becomes a request.

use anyhow::Context as _;
use seareeve_api::{IntelSecret, IntelSettings};
use seareeve_collect::lists::Credential;
use seareeve_intel::{Column, Format};
use seareeve_store::intel_lists::IntelList;

use crate::config::Config;
use crate::connectors::is_below;

/// Longest address, name of a column or of a variable.
const MOST: usize = 1_000;
/// Bytes of a file with a secret.
const MOST_SECRET: u64 = 16 << 10;

/// Those of a list.
pub(crate) fn settings(list: &IntelList) -> anyhow::Result<IntelSettings> {
    serde_json::from_str(&list.settings)
        .with_context(|| format!("failed to understand the list {}", list.name))
}

/// What makes no sense, in words.
pub(crate) fn fault(settings: &IntelSettings) -> Option<String> {
    if let Err(why) = format(settings) {
        return Some(why);
    }
    let texts = [&settings.address, &settings.column, &settings.separator];
    if texts.into_iter().flatten().any(|text| text.len() > MOST) {
        return Some(format!("texts have at most {MOST} characters"));
    }
    if let Some(address) = &settings.address {
        let is_web = ["http://", "https://"]
            .iter()
            .any(|scheme| address.starts_with(scheme));
        let authority = address.split('/').nth(2).unwrap_or_default();
        if !is_web || authority.is_empty() {
            return Some("an address begins with https:// or http://".to_owned());
        }
        if authority.contains('@') {
            return Some(
                "no name or password stands in an address: name a header and where its value is"
                    .to_owned(),
            );
        }
    }
    let header = settings.header.as_ref()?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if header.name.is_empty() || header.name.len() > 100 || !header.name.chars().all(is_token) {
        return Some("a header's name has letters, digits and hyphens".to_owned());
    }
    if settings.address.is_none() {
        return Some("a header belongs to an address".to_owned());
    }
    match &header.value {
        IntelSecret::File { file } if !is_below(file) => {
            Some("name a file within the server's folder of credentials".to_owned())
        }
        IntelSecret::Variable { variable } => {
            let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let is_name = variable.starts_with("INTEL_")
                && variable.len() <= 200
                && variable.chars().all(is_part);
            (!is_name).then(|| "name an environment variable that begins with INTEL_".to_owned())
        }
        IntelSecret::File { .. } => None,
    }
}

/// The form of a list.
pub(crate) fn format(settings: &IntelSettings) -> Result<Format, String> {
    let is_table = settings.format == "csv";
    if !is_table && (settings.column.is_some() || settings.separator.is_some()) {
        return Err("only tables (csv) have columns".to_owned());
    }
    match settings.format.as_str() {
        "auto" => Ok(Format::Auto),
        "plain" => Ok(Format::Plain),
        "stix" => Ok(Format::Stix),
        "misp" => Ok(Format::Misp),
        "csv" => {
            let column = settings.column.as_deref().map(str::trim);
            let column = match column.filter(|column| !column.is_empty()) {
                None => return Err("of a table (csv), say which column".to_owned()),
                Some(column) => match column.parse() {
                    Ok(0) => return Err("columns are counted from 1".to_owned()),
                    Ok(number) => Column::Number(number),
                    Err(_) => Column::Name(column.to_owned()),
                },
            };
            let separator = match settings.separator.as_deref() {
                None | Some("") => b',',
                Some("\\t" | "tab") => b'\t',
                Some(text) => match text.as_bytes() {
                    [byte] if byte.is_ascii() && *byte != b'"' => *byte,
                    _ => return Err("columns are separated by one character".to_owned()),
                },
            };
            Ok(Format::Csv { column, separator })
        }
        _ => Err("a format is auto, plain, csv, stix or misp".to_owned()),
    }
}

/// The value of a header, read now and kept nowhere.
pub(crate) fn credential(secret: &IntelSecret, config: &Config) -> anyhow::Result<Credential> {
    let text = match secret {
        IntelSecret::Variable { variable } => {
            let value = config.variables.get(variable);
            value
                .with_context(|| format!("the server has no environment variable {variable}"))?
                .to_owned()
        }
        IntelSecret::File { file } => {
            let path = config.credentials_folder().join(file);
            let read = || -> std::io::Result<String> {
                let file = std::fs::File::open(&path)?;
                std::io::read_to_string(std::io::Read::take(file, MOST_SECRET))
            };
            read().with_context(|| format!("failed to read {path}"))?
        }
    };
    Ok(Credential::new(text.trim()))
}

#[cfg(test)]
mod tests {
    use seareeve_api::IntelHeader;

    use super::*;

    fn plain() -> IntelSettings {
        IntelSettings {
            address: Some("https://lists.example/x".to_owned()),
            format: "plain".to_owned(),
            column: None,
            separator: None,
            header: None,
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(fault(&plain()), None);
        type Case = fn(&mut IntelSettings);
        let header = |value| {
            Some(IntelHeader {
                name: "X-Api-Key".to_owned(),
                value,
            })
        };
        let file = |file: &str| IntelSecret::File {
            file: file.to_owned(),
        };
        let variable = |variable: &str| IntelSecret::Variable {
            variable: variable.to_owned(),
        };
        for value in [file("misp.key"), variable("INTEL_MISP_KEY")] {
            let good = IntelSettings {
                header: header(value),
                ..plain()
            };
            assert_eq!(fault(&good), None);
        }
        for value in [
            file("../x"),
            file("/etc/shadow"),
            variable("PATH"),
            variable("INTEL_x y"),
        ] {
            let bad = IntelSettings {
                header: header(value),
                ..plain()
            };
            assert!(fault(&bad).is_some(), "{bad:?}");
        }
        let cases: [Case; 8] = [
            |s| s.address = Some("ftp://x/".to_owned()),
            |s| s.address = Some("https://me:pw@x/".to_owned()),
            |s| s.address = Some(format!("https://x/{}", "a".repeat(MOST))),
            |s| s.format = "xml".to_owned(),
            |s| s.column = Some("1".to_owned()),
            |s| s.format = "csv".to_owned(),
            |s| {
                s.format = "csv".to_owned();
                s.column = Some("0".to_owned());
            },
            |s| {
                s.format = "csv".to_owned();
                s.column = Some("1".to_owned());
                s.separator = Some(";;".to_owned());
            },
        ];
        for (number, spoil) in cases.into_iter().enumerate() {
            let mut settings = plain();
            spoil(&mut settings);
            assert!(fault(&settings).is_some(), "case {number}");
        }
    }
}
