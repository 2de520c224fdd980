//! Events from files. One implementor per kind of event.

use std::io::{self, BufRead};

use seareeve_detect::Event;
use seareeve_detect::sources::FlatEvent;
use seareeve_model::Alert;
use serde_json::Value;

use super::audit::Audit;
use crate::args::EventSource;

/// Bytes of a line at most; of a longer one the rest is passed over.
pub(super) const MOST_BYTES: usize = 16 << 20;

/// Reads events out of files.
pub(crate) trait Feed {
    /// Calls `each` for everything in a file.
    fn read(
        &mut self,
        file: &mut dyn BufRead,
        each: &mut dyn FnMut(Seen<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()>;

    /// The event of an example of a detection.
    fn example(&self, event: &Value) -> Result<Box<dyn Event>, String>;
}

/// Something in a file.
pub(crate) enum Seen<'e> {
    Event {
        event: &'e dyn Event,
        /// Takes out of an alert about the event what may not leave.
        clean: fn(&mut Alert),
    },
    /// What is none, by its line.
    Broken { line: u64, why: String },
}

/// Who reads the events of a source.
pub(crate) fn feed(source: EventSource) -> Box<dyn Feed> {
    match source {
        EventSource::Host => Box::new(Host),
        EventSource::Audit => Box::new(Audit::default()),
    }
}

/// Events of a host: JSON objects of fields and their values, one a line.
struct Host;

impl Feed for Host {
    fn read(
        &mut self,
        file: &mut dyn BufRead,
        each: &mut dyn FnMut(Seen<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        let mut line = 0;
        while next_line(file, &mut buffer)? {
            line += 1;
            if buffer.trim_ascii().is_empty() {
                continue;
            }
            if buffer.len() > MOST_BYTES {
                let why = format!("longer than {MOST_BYTES} bytes");
                each(Seen::Broken { line, why })?;
                continue;
            }
            match serde_json::from_slice::<Value>(&buffer) {
                Ok(Value::Object(fields)) => each(Seen::Event {
                    event: &FlatEvent::new(fields),
                    clean: |_| (),
                })?,
                Ok(_) => {
                    let why = "no object of fields".to_owned();
                    each(Seen::Broken { line, why })?;
                }
                Err(error) => {
                    let why = format!("no JSON: {error}");
                    each(Seen::Broken { line, why })?;
                }
            }
        }
        Ok(())
    }

    fn example(&self, event: &Value) -> Result<Box<dyn Event>, String> {
        match event {
            Value::Object(fields) => Ok(Box::new(FlatEvent::new(fields.clone()))),
            _ => Err("no object of fields".to_owned()),
        }
    }
}

/// Reads a line into `buffer`, without more of it than one byte above the bound; false at the end.
pub(super) fn next_line(file: &mut dyn BufRead, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    loop {
        let available = match file.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(!buffer.is_empty());
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available.get(..end.unwrap_or(available.len()));
        let part = part.unwrap_or_default();
        let room = (MOST_BYTES + 1).saturating_sub(buffer.len());
        buffer.extend(part.iter().take(room));
        let used = part.len() + usize::from(end.is_some());
        file.consume(used);
        if end.is_some() {
            // An empty line is no end.
            if buffer.is_empty() {
                buffer.push(b' ');
            }
            return Ok(true);
        }
    }
}
