//! Why a file could not be read, in words that quote nothing of it: what an image holds may be secret, and
//! parsers repeat the text that they did not expect (`invalid type: string "…"`). Where something has to be quoted
//! to be found, no more of it than [`excerpt`] gives.

use std::borrow::Cow;

use serde_json::error::Category;

/// The beginning of `text`, at most `most` characters of it, with an ellipsis in place of the rest.
pub(super) fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// Of JSON. What is wrong with its form the parser says in fixed words.
pub(super) fn json(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => error.to_string(),
        Category::Data => {
            let (line, column) = (error.line(), error.column());
            format!("another value than expected at line {line} column {column}")
        }
    }
}

/// Of YAML.
pub(super) fn yaml(error: &serde_saphyr::Error) -> String {
    let what = match error {
        serde_saphyr::Error::Budget { .. } => "aliases, or more than any real one has,",
        _ => "no valid YAML",
    };
    match error.location() {
        Some(place) => format!("{what} at line {}, column {}", place.line(), place.column()),
        None => what.trim_end_matches(',').to_owned(),
    }
}

/// Of `text`, which is TOML.
pub(super) fn toml(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else {
        return "no valid TOML".to_owned();
    };
    let line = before.split('\n').count();
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |it| it.chars().count());
    let column = column.saturating_add(1);
    format!("no valid TOML at line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[test]
    fn what_is_cut_says_so() {
        for (text, most, expected) in [
            ("", 0, ""),
            ("äbc", 3, "äbc"),
            ("äbc", 2, "äb…"),
            ("€uro", 1, "€…"),
            ("x", 0, "…"),
        ] {
            assert_eq!(super::excerpt(text, most), expected, "{text} {most}");
        }
    }

    #[test]
    fn no_fault_repeats_the_text() {
        type Numbers = BTreeMap<String, u8>;
        let json = |text| super::json(&serde_json::from_str::<Numbers>(text).unwrap_err());
        let yaml = |text| super::yaml(&serde_saphyr::from_str::<Numbers>(text).unwrap_err());
        let toml = |text| super::toml(&toml::from_str::<Numbers>(text).unwrap_err(), text);
        assert_eq!(
            [
                json("{\n\"a\": \"hunter2\"}"),
                json("{\"a\": hunter2}"),
                yaml("a: 1\nb: hunter2\n"),
                yaml("a: [hunter2\n"),
                toml("a = 1\nb = \"hunter2\"\n"),
                toml("hunter2 = 1\nhunter2 = 1\n"),
            ],
            [
                "another value than expected at line 2 column 14",
                "expected value at line 1 column 7",
                "no valid YAML at line 2, column 4",
                "no valid YAML at line 1, column 4",
                "no valid TOML at line 2, column 5",
                "no valid TOML at line 2, column 1",
            ]
        );
    }
}
