//! JSON, as programs read it and as it may stand on a terminal.

use std::io::{self, Write};

use serde_json::ser::{Formatter, Serializer};

use super::turns;

/// Bytes that are looked through and passed on at a time: a report may have ten million.
const PIECE: usize = 64 << 10;

/// A result: indented, one line feed at the end.
pub(crate) fn text(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    write(value, &mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}

/// Writes a result as [`text`] has it, without ever having all of it.
pub(super) fn write(value: &impl serde::Serialize, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut out = Printable::new(out);
    value.serialize(&mut Serializer::with_formatter(
        &mut out,
        Indented::default(),
    ))?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Writes a result without indenting it, and a line feed.
pub(super) fn line(value: &impl serde::Serialize, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut out = Printable::new(out);
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Indents as serde_json's own pretty form does, but writes what stands between two values at once: a report has a
/// hundred thousand of them, most of them short.
#[derive(Default)]
struct Indented {
    depth: usize,
    has_value: bool,
}

/// What stands between two values, for values at most this deep in others.
const BETWEEN: &str = ",\n                                                                ";

impl Indented {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_add(1);
        self.has_value = false;
        out.write_all(bracket)
    }

    fn line<W: ?Sized + Write>(&self, out: &mut W, is_first: bool) -> io::Result<()> {
        let start = usize::from(is_first);
        let spaces = self.depth.saturating_mul(2);
        if let Some(between) = BETWEEN.get(start..spaces.saturating_add(2)) {
            return out.write_all(between.as_bytes());
        }
        let between = BETWEEN.get(start..2).unwrap_or_default();
        write!(out, "{between}{:spaces$}", "")
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.has_value {
            self.line(out, true)?;
        }
        self.has_value = true;
        out.write_all(bracket)
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        self.line(out, is_first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        self.line(out, is_first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

/// Passes JSON on with those characters written as `\uXXXX` that JSON lets stand as they are, but that a terminal takes
/// for commands, or that turn the direction of what follows.
///
/// What is written to it at once ends with a whole character, as all that writes JSON does.
pub(super) struct Printable<'a> {
    out: &'a mut dyn Write,
    waiting: Vec<u8>,
}

impl<'a> Printable<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            waiting: Vec::with_capacity(2 * PIECE),
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        // Nearly all of nearly every report is plain, which is told many bytes at a time.
        if self.waiting.iter().copied().fold(0, u8::max) < 0x7f {
            self.out.write_all(&self.waiting)?;
        } else {
            let text = std::str::from_utf8(&self.waiting).map_err(io::Error::other)?;
            self.out.write_all(escaped(text).as_bytes())?;
        }
        self.waiting.clear();
        Ok(())
    }
}

impl Write for Printable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() < PIECE {
            return Ok(());
        }
        self.pass_on()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.out.flush()
    }
}

fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '\u{7f}'..='\u{9f}') || turns(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indents_as_serde_json_does() {
        let mut deep = serde_json::json!([]);
        for n in 0..40 {
            deep = serde_json::json!([{}, {"a": n, "b": [deep, "x"]}, [], null]);
        }
        let expected = serde_json::to_string_pretty(&deep).unwrap() + "\n";
        assert_eq!(text(&deep).unwrap(), expected);
    }

    #[test]
    fn harmful_characters_are_escaped_wherever_pieces_end() {
        // Each item is longer than the one before, so that pieces end at every place of it.
        let harmful = "a\u{7f}ü\u{9b}\u{202e}\u{1b}€";
        let texts: Vec<String> = (0..200).map(|n| "€".repeat(n) + harmful).collect();
        let written = text(&texts).unwrap();
        assert!(written.len() > PIECE);
        assert!(!written.contains(|c: char| matches!(c, '\u{7f}'..='\u{9f}') || turns(c)));
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&written).unwrap(),
            texts
        );
        assert_eq!(
            text(&harmful).unwrap(),
            "\"a\\u007fü\\u009b\\u202e\\u001b€\"\n"
        );
    }
}
