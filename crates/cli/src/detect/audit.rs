//! Kubernetes audit events from files: lines, lists of a webhook, envelopes of log services.

use std::io::BufRead;

use anyhow::Result;
use seareeve_audit::{Documents, Found, Record, State, redact_alert, unpack};
use seareeve_detect::Event;
use serde_json::Value;

use super::feed::{Feed, MOST_BYTES, Seen, next_line};

/// The events of one cluster, with what they say about it.
#[derive(Default)]
pub(super) struct Audit {
    state: State,
}

type Each<'f> = dyn FnMut(Seen<'_>) -> Result<()> + 'f;

impl Feed for Audit {
    fn read(&mut self, file: &mut dyn BufRead, each: &mut Each<'_>) -> Result<()> {
        let mut documents = Documents::new();
        let mut buffer = Vec::new();
        let mut line = 0;
        let mut problems = 0;
        while next_line(file, &mut buffer)? {
            line += 1;
            if buffer.len() > MOST_BYTES {
                let why = format!("longer than {MOST_BYTES} bytes");
                each(Seen::Broken { line, why })?;
                continue;
            }
            let mut outcome = Ok(());
            documents.line(&buffer, |document| {
                unpack(document, &mut |found| {
                    if outcome.is_ok() {
                        outcome = self.found(found, line, each);
                    }
                });
            });
            outcome?;
            told(&documents, &mut problems, line, each)?;
        }
        documents.end();
        told(&documents, &mut problems, line, each)
    }

    fn example(&self, _event: &Value) -> Result<Box<dyn Event>, String> {
        // Events of examples need what was known before: `seareeve_audit::run_examples` plays them.
        Err("examples of audit events are played one after the other".to_owned())
    }
}

impl Audit {
    fn found(&mut self, found: Found<'_>, line: u64, each: &mut Each<'_>) -> Result<()> {
        let text = match found {
            Found::Event(text) => text,
            // Other logs come in the same stream.
            Found::Other => return Ok(()),
            Found::Broken(why) => {
                let why = why.to_string();
                return each(Seen::Broken { line, why });
            }
        };
        let record = match Record::read(&text) {
            Ok(record) => record,
            Err(why) => {
                let why = why.to_string();
                return each(Seen::Broken { line, why });
            }
        };
        let Some(event) = self.state.observe(record) else {
            return Ok(());
        };
        each(Seen::Event {
            event: &event,
            clean: redact_alert,
        })
    }
}

/// Says what of the file was no document.
fn told(documents: &Documents, known: &mut u64, line: u64, each: &mut Each<'_>) -> Result<()> {
    if documents.problems() > *known {
        *known = documents.problems();
        let why = "no JSON, or it ends too early".to_owned();
        each(Seen::Broken { line, why })?;
    }
    Ok(())
}
