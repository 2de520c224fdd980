//! Which field somebody may have meant.

use crate::source::Source;

/// A field that is there and differs by little.
pub(super) fn similar(name: &str, source: &dyn Source) -> Option<String> {
    let fields = source.fields().iter().map(|info| info.name.as_ref());
    let near = fields.map(|known| (distance(name, known), known));
    let (distance, known) = near.min()?;
    (distance <= name.len() / 4).then(|| known.to_owned())
}

/// Single changes between two texts.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() > 64 || other.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, byte) in one.iter().enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        let mut next = vec![left];
        for (cell, known) in row.iter().skip(1).zip(other) {
            let change = diagonal.saturating_add(usize::from(byte != known));
            diagonal = *cell;
            left = change
                .min(left.saturating_add(1))
                .min(cell.saturating_add(1));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
