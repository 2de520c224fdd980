//! Recent events, as blocks of the store: lines of JSON without secrets, packed by zstd.

use std::io::{BufRead as _, BufReader, Read as _};

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_store::audit_blocks::Block;

/// Bytes of one event that are kept: of longer ones the bodies are left out.
pub(super) const MOST_EVENT: usize = 32 << 10;
/// Bytes of a block, unpacked.
const MOST_BLOCK: u64 = 64 << 20;

/// Collects events for one block.
#[derive(Default)]
pub(super) struct Packer {
    lines: Vec<u8>,
    events: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Packer {
    /// Adds an event, which becomes one line of JSON: between its values a line may end, within them none does.
    pub(super) fn add(&mut self, at: Timestamp, event: &str) {
        let bytes = event.bytes();
        self.lines.extend(bytes.map(|byte| match byte {
            b'\n' => b' ',
            other => other,
        }));
        self.lines.push(b'\n');
        self.events += 1;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// The block; nothing without events.
    pub(super) fn finish(self) -> anyhow::Result<Option<Block>> {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return Ok(None);
        };
        let content = zstd::bulk::compress(&self.lines, 3).context("failed to pack events")?;
        Ok(Some(Block {
            first,
            last,
            events: self.events,
            content,
        }))
    }
}

/// Shows each line of a block to `see`.
pub(crate) fn lines(block: &Block, mut see: impl FnMut(&str)) -> anyhow::Result<()> {
    let unpacked = zstd::stream::read::Decoder::new(block.content.as_slice())?.take(MOST_BLOCK);
    for line in BufReader::new(unpacked).lines() {
        see(&line.context("failed to unpack events")?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_over_several_lines_comes_back_as_one() {
        let mut packer = Packer::default();
        packer.add(Timestamp::UNIX_EPOCH, "{\n  \"a\": 1\n}");
        packer.add(Timestamp::UNIX_EPOCH, "{\"b\":2}");
        let block = packer.finish().unwrap().unwrap();
        let mut found = Vec::new();
        lines(&block, |line| found.push(line.to_owned())).unwrap();
        assert_eq!(found, ["{   \"a\": 1 }", "{\"b\":2}"]);
    }
}
