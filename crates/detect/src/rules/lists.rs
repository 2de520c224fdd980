//! Lists are put into conditions as text, wherever their name stands between blanks, parentheses, commas and equals
//! signs. Other than in Falco, texts in quotes are left alone.

use std::collections::{BTreeSet, HashMap};

/// Bytes of a condition with its lists at most.
pub(crate) const MOST_TEXT: usize = 4 << 20;

/// A condition with its lists.
#[derive(Debug, Default)]
pub(crate) struct Substituted {
    pub(crate) text: String,
    /// Pairs of bytes: from the first of this text on it is what begins with the second of the original.
    places: Vec<(usize, usize)>,
    /// The lists that were put in.
    pub(crate) used: BTreeSet<usize>,
}

impl Substituted {
    /// The byte of the original text that a byte of this one comes from.
    pub(crate) fn original(&self, at: usize) -> usize {
        let before = self.places.partition_point(|(new, _)| *new <= at);
        let place = before
            .checked_sub(1)
            .and_then(|index| self.places.get(index));
        place.map_or(at, |(new, old)| old.saturating_add(at.saturating_sub(*new)))
    }
}

/// Puts lists into a condition. `lists` are the items of each, in the order of definition; `number` finds one by name.
/// Nothing when the text becomes too long.
pub(crate) fn substitute(
    condition: &str,
    number: &HashMap<&str, usize>,
    lists: &[Vec<String>],
) -> Option<Substituted> {
    let mut out = Substituted::default();
    let bytes = condition.as_bytes();
    let mut at = 0;
    let mut copied = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\'' {
            at = end_of_quoted(bytes, at);
            continue;
        }
        if is_delimiter(byte) {
            at = at.saturating_add(1);
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| !is_delimiter(**byte)).count();
        let end = at.saturating_add(length);
        let found = condition.get(at..end).and_then(|token| number.get(token));
        if let Some(&list) = found {
            let mut flat = Flat {
                number,
                lists,
                items: Vec::new(),
                room: MOST_TEXT,
            };
            flat.add(list, &mut out.used, 0)?;
            let items = flat.items;
            out.copy(condition, copied, trim_end(bytes, copied, at));
            let mut next = skip_blanks(bytes, end);
            if items.is_empty() {
                // One comma beside it goes with it.
                if out.text.ends_with(',') {
                    out.text.pop();
                } else if bytes.get(next) == Some(&b',') {
                    next = next.saturating_add(1);
                }
            }
            out.made(at, " ");
            out.made(at, &items.join(", "));
            out.made(at, " ");
            copied = next;
            at = next;
        } else {
            at = end;
        }
        if out.text.len() > MOST_TEXT {
            return None;
        }
    }
    out.copy(condition, copied, condition.len());
    Some(out)
}

/// The items of a list; those that are lists defined later are their items in turn, as when text is replaced list by
/// list. (Lists defined earlier were put in when this one was made.)
struct Flat<'l> {
    number: &'l HashMap<&'l str, usize>,
    lists: &'l [Vec<String>],
    items: Vec<String>,
    /// Bytes that items may still take; each look at an item takes one.
    room: usize,
}

impl Flat<'_> {
    /// Nothing, when there is no room for all of them.
    fn add(&mut self, list: usize, used: &mut BTreeSet<usize>, depth: usize) -> Option<()> {
        used.insert(list);
        for item in self.lists.get(list).into_iter().flatten() {
            self.room = self.room.checked_sub(1).filter(|_| depth < 64)?;
            match self
                .number
                .get(item.as_str())
                .filter(|other| **other > list)
            {
                Some(&other) => self.add(other, used, depth.saturating_add(1))?,
                None => {
                    self.room = self.room.checked_sub(item.len())?;
                    self.items.push(quote(item));
                }
            }
        }
        Some(())
    }
}

/// A text that stays one, whoever wrote it: what begins with a quote would be taken for a text that is quoted already,
/// and a backslash for the beginning of an escape. Either could end the text and go on as a condition.
pub(crate) fn literal(text: &str) -> String {
    if !text.starts_with(['"', '\'']) && !text.contains('\\') {
        return text.to_owned();
    }
    // Not `\\\\`: a quote behind it would not end the text.
    let escaped = text.replace('\\', r"\x5c").replace('"', r"\x22");
    format!("\"{escaped}\"")
}

/// An item as a condition wants it: in quotes where it would fall apart without.
pub(crate) fn quote(item: &str) -> String {
    if item.starts_with(['"', '\'']) {
        return item.to_owned();
    }
    if item.contains(' ') {
        // As Falco does, which takes backslashes for escapes here.
        return format!("\"{}\"", item.replace('"', "\\\""));
    }
    let is_special = |byte: u8| is_delimiter(byte) || byte == b'"' || byte == b'\'' || byte == 0x0b;
    if item.is_empty() || item.bytes().any(is_special) {
        let mut quoted = String::from("\"");
        for c in item.chars() {
            match c {
                '"' => quoted.push_str(r"\x22"),
                '\\' => quoted.push_str(r"\x5c"),
                '\n' => quoted.push_str("\\n"),
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        return quoted;
    }
    item.to_owned()
}

impl Substituted {
    fn copy(&mut self, from: &str, start: usize, end: usize) {
        self.places.push((self.text.len(), start));
        self.text.push_str(from.get(start..end).unwrap_or_default());
    }

    fn made(&mut self, old: usize, text: &str) {
        self.places.push((self.text.len(), old));
        self.text.push_str(text);
    }
}

fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b'\r' | b'(' | b')' | b',' | b'='
    )
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    from.saturating_add(blanks.count())
}

/// The end of `bytes[start..end]` without the blanks at its end.
fn trim_end(bytes: &[u8], start: usize, end: usize) -> usize {
    let part = bytes.get(start..end).unwrap_or_default();
    let blanks = part
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    end.saturating_sub(blanks.count())
}

/// Behind the quote that ends what begins at `start`; the end of everything, when none does.
fn end_of_quoted(bytes: &[u8], start: usize) -> usize {
    let quote = bytes.get(start).copied().unwrap_or_default();
    let mut before = quote;
    let mut at = start.saturating_add(1);
    while let Some(&byte) = bytes.get(at) {
        at = at.saturating_add(1);
        if byte == quote && before != b'\\' {
            return at;
        }
        before = byte;
    }
    at
}
