//! Formats that Kubernetes knows by name: `format.dns1123Label().validate(name)`.

use base64::Engine as _;

use super::url::Url;
use crate::value::Timestamp;

/// A format: what is wrong with a text, if it is not of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedFormat {
    name: &'static str,
    check: fn(&str) -> Option<&'static str>,
}

impl PartialEq for NamedFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const FORMATS: &[NamedFormat] = &[
    NamedFormat {
        name: "dns1123Label",
        check: dns_1123_label,
    },
    NamedFormat {
        name: "dns1123Subdomain",
        check: dns_1123_subdomain,
    },
    NamedFormat {
        name: "dns1035Label",
        check: dns_1035_label,
    },
    NamedFormat {
        name: "dns1123LabelPrefix",
        check: |text| prefix(text, dns_1123_label),
    },
    NamedFormat {
        name: "dns1123SubdomainPrefix",
        check: |text| prefix(text, dns_1123_subdomain),
    },
    NamedFormat {
        name: "dns1035LabelPrefix",
        check: |text| prefix(text, dns_1035_label),
    },
    NamedFormat {
        name: "qualifiedName",
        check: qualified_name,
    },
    NamedFormat {
        name: "labelValue",
        check: label_value,
    },
    NamedFormat {
        name: "uri",
        check: uri,
    },
    NamedFormat {
        name: "uuid",
        check: uuid,
    },
    NamedFormat {
        name: "byte",
        check: byte,
    },
    NamedFormat {
        name: "date",
        check: date,
    },
    NamedFormat {
        name: "datetime",
        check: datetime,
    },
];

impl NamedFormat {
    pub(crate) fn find(name: &str) -> Option<Self> {
        FORMATS.iter().find(|format| format.name == name).copied()
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn problem(self, text: &str) -> Option<&'static str> {
        (self.check)(text)
    }
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    text.bytes().all(|b| is_lower(b) || b == b'-')
        && text.bytes().next().is_some_and(is_lower)
        && text.bytes().last().is_some_and(is_lower)
}

fn dns_1123_label(text: &str) -> Option<&'static str> {
    match text {
        text if text.len() > 63 => Some("must be no more than 63 bytes"),
        text if !is_label(text) => Some(
            "must be lower case letters, digits and `-`, and begin and end with a letter or digit",
        ),
        _ => None,
    }
}

fn dns_1123_subdomain(text: &str) -> Option<&'static str> {
    match text {
        text if text.len() > 253 => Some("must be no more than 253 bytes"),
        text if !text.split('.').all(is_label) => Some(
            "must be lower case letters, digits, `-` and `.`, and each part begin and end with a letter or digit",
        ),
        _ => None,
    }
}

fn dns_1035_label(text: &str) -> Option<&'static str> {
    match dns_1123_label(text) {
        None if !text.starts_with(|c: char| c.is_ascii_lowercase()) => {
            Some("must begin with a lower case letter")
        }
        problem => problem,
    }
}

/// What names that are made begin with: a dash may be last.
fn prefix(text: &str, check: fn(&str) -> Option<&'static str>) -> Option<&'static str> {
    match text.strip_suffix('-') {
        Some(before) => check(&format!("{before}a")),
        None => check(text),
    }
}

const NAME: &str =
    "must be letters, digits, `-`, `_` and `.`, and begin and end with a letter or digit";

fn is_name(text: &str) -> bool {
    let is_end = |b: u8| b.is_ascii_alphanumeric();
    text.bytes().all(|b| is_end(b) || b"-_.".contains(&b))
        && text.bytes().next().is_some_and(is_end)
        && text.bytes().last().is_some_and(is_end)
}

fn qualified_name(text: &str) -> Option<&'static str> {
    let (prefix, name) = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => return Some("must have at most one `/`"),
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if prefix.is_some_and(|prefix| dns_1123_subdomain(prefix).is_some()) {
        return Some("must have a domain before the `/`");
    }
    match name {
        name if name.len() > 63 => Some("name must be no more than 63 bytes"),
        name if !is_name(name) => Some(NAME),
        _ => None,
    }
}

fn label_value(text: &str) -> Option<&'static str> {
    match text {
        "" => None,
        text if text.len() > 63 => Some("must be no more than 63 bytes"),
        text if !is_name(text) => Some(NAME),
        _ => None,
    }
}

fn uri(text: &str) -> Option<&'static str> {
    Url::parse(text).is_none().then_some("must be a URI")
}

fn uuid(text: &str) -> Option<&'static str> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let is_sound = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| match DASHES.contains(&at) {
                true => byte == b'-',
                false => byte.is_ascii_hexdigit(),
            });
    (!is_sound).then_some("must be a UUID")
}

fn byte(text: &str) -> Option<&'static str> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(text);
    decoded.is_err().then_some("must be base64")
}

fn date(text: &str) -> Option<&'static str> {
    let is_date = text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok();
    (!is_date).then_some("must be a date of RFC 3339")
}

fn datetime(text: &str) -> Option<&'static str> {
    Timestamp::parse(text)
        .is_err()
        .then_some("must be a time of RFC 3339")
}
