//! Files for spreadsheets (RFC 4180).

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// Rows, the first of which names the columns.
#[derive(Debug, Default)]
pub(super) struct Csv {
    text: String,
}

impl Csv {
    /// One with these columns.
    pub(super) fn new(columns: &[&str]) -> Self {
        let mut csv = Self::default();
        csv.row(columns);
        csv
    }

    /// One more row. Names are foreign: what a spreadsheet would take for a formula gets an apostrophe.
    pub(super) fn row(&mut self, fields: &[&str]) {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            let is_plain = !field.is_empty()
                && field
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._:".contains(&byte));
            if is_plain {
                self.text.push_str(field);
                continue;
            }
            self.text.push('"');
            if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                self.text.push('\'');
            }
            self.text.push_str(&field.replace('"', "\"\""));
            self.text.push('"');
        }
        self.text.push_str("\r\n");
    }

    /// The rows so far; the next ones follow them.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// The whole file as an answer. `name` is made of our own words and checked ids.
    pub(super) fn answer(self, name: &str) -> Response {
        (headers(name), self.text).into_response()
    }
}

/// What a browser is told of a file for spreadsheets.
pub(super) fn headers(name: &str) -> [(header::HeaderName, String); 2] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_no_formula() {
        let mut csv = Csv::new(&["a", "b c"]);
        csv.row(&["=1+1", "say \"so\", twice"]);
        csv.row(&["", "-3"]);
        assert_eq!(
            csv.take(),
            "a,\"b c\"\r\n\"'=1+1\",\"say \"\"so\"\", twice\"\r\n\"\",\"'-3\"\r\n"
        );
    }
}
