//! A column of a table (RFC 4180), with comments as makers of such lists write them: `# first_seen,dst_ip`.

use crate::format::{Column, Unreadable};
use crate::reading::Collector;

/// Lines in which the names of the columns are looked for.
const HEAD: usize = 200;
/// Columns of a table.
const MOST_COLUMNS: usize = 1_000;

pub(crate) fn read(
    text: &str,
    column: &Column,
    separator: u8,
    collector: &mut Collector<'_>,
) -> Result<(), Unreadable> {
    let mut rows = Rows {
        rest: text,
        separator: char::from(separator),
    };
    let mut number = match column {
        Column::Number(number) => Some(number.saturating_sub(1)),
        Column::Name(_) => None,
    };
    let mut looked = 0_usize;
    while let Some(row) = rows.next() {
        let is_comment = row.first().is_some_and(|cell| cell.starts_with('#'));
        match (number, column) {
            (None, Column::Name(name)) => {
                looked = looked.saturating_add(1);
                let is_it = |cell: &String| {
                    let cell = cell.trim_start_matches('#').trim().trim_matches('"');
                    cell.eq_ignore_ascii_case(name.trim())
                };
                number = row.iter().position(is_it);
                if number.is_none() && looked >= HEAD {
                    break;
                }
            }
            (Some(number), _) if !is_comment => match row.get(number) {
                Some(cell) if !cell.trim().is_empty() => collector.word(cell),
                _ if row.iter().all(|cell| cell.trim().is_empty()) => {}
                _ => collector.unused("a line without this column", &row.join(",")),
            },
            _ => {}
        }
    }
    match (number, column) {
        (None, Column::Name(name)) => Err(Unreadable::NoColumn(name.clone())),
        _ => Ok(()),
    }
}

struct Rows<'t> {
    rest: &'t str,
    separator: char,
}

impl Rows<'_> {
    /// The next line, which quotes may make several. A comment is one line whatever is in it, so that a quote in it
    /// swallows nothing.
    fn next(&mut self) -> Option<Vec<String>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut row = vec![String::new()];
        let mut is_quoted = false;
        let mut chars = self.rest.char_indices().peekable();
        let is_comment = self.rest.starts_with('#');
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            let is_first = row.last().is_none_or(|cell| cell.trim().is_empty());
            match c {
                '\n' if !is_quoted || is_comment => {
                    end = at.saturating_add(1);
                    break;
                }
                '"' if is_quoted => {
                    if chars.next_if(|(_, next)| *next == '"').is_some() {
                        push(&mut row, '"');
                    } else {
                        is_quoted = false;
                    }
                }
                '"' if is_first => {
                    is_quoted = true;
                    if let Some(cell) = row.last_mut() {
                        cell.clear();
                    }
                }
                c if c == self.separator && !is_quoted => {
                    if row.len() < MOST_COLUMNS {
                        row.push(String::new());
                    }
                }
                '\r' if !is_quoted => {}
                c => push(&mut row, c),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some(row)
    }
}

fn push(row: &mut [String], c: char) {
    if let Some(cell) = row.last_mut() {
        cell.push(c);
    }
}
