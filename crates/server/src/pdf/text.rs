//! Text in the fonts that every PDF reader has: which bytes stand for it, how wide it is, where it is broken.

use super::Style;

/// Windows-1252 from 0x80 to 0x9f; a gap where it has nothing.
const HIGH: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

/// Thousandths of the size, from the space on: Helvetica's, and below them Helvetica-Bold's (Adobe's font metrics).
const WIDTHS: [[u16; 95]; 2] = [
    [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556,
        556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722,
        722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722,
        667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556,
        556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,
        500, 334, 260, 334, 584,
    ],
    [
        278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556,
        556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722,
        722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722,
        667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611,
        611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556,
        500, 389, 280, 389, 584,
    ],
];
/// Of all other characters: the widest there is, so that nothing runs out of its cell.
const OTHER: u16 = 1_000;

/// The bytes of a text. What has none is written as its code point.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            ' '..='~' => bytes.push(letter as u8),
            '\u{a0}'..='\u{ff}' => bytes.extend(u8::try_from(u32::from(letter))),
            '→' => bytes.extend(b"->"),
            '≤' => bytes.extend(b"<="),
            '≥' => bytes.extend(b">="),
            '\n' | '\t' | '\r' => bytes.push(b' '),
            other => match HIGH.iter().position(|known| *known == Some(other)) {
                Some(at) => bytes.extend(u8::try_from(0x80 + at)),
                None => bytes.extend(format!("{{U+{:04X}}}", u32::from(other)).bytes()),
            },
        }
    }
    bytes
}

/// How wide bytes are, in points.
pub(super) fn width(bytes: &[u8], style: Style) -> f32 {
    let of = |byte: &u8| letter_width(*byte, style);
    bytes.iter().map(of).sum()
}

fn letter_width(byte: u8, style: Style) -> f32 {
    let [regular, bold] = &WIDTHS;
    let widths = if style.is_bold { bold } else { regular };
    let at = byte.checked_sub(b' ').map(usize::from);
    let width = at.and_then(|at| widths.get(at)).copied();
    f32::from(width.unwrap_or(OTHER)) / 1_000.0 * style.size
}

/// Lines that are no wider than `room`: broken at spaces, and within words that are wider.
pub(super) fn wrap(bytes: &[u8], room: f32, style: Style) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let (mut line, mut taken) = (Vec::new(), 0.0);
    for word in bytes
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
    {
        let gap = if line.is_empty() {
            0.0
        } else {
            letter_width(b' ', style)
        };
        let wide = width(word, style);
        if taken + gap + wide <= room {
            if !line.is_empty() {
                line.push(b' ');
            }
            line.extend(word);
            taken += gap + wide;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            taken = 0.0;
        }
        for byte in word {
            let wide = letter_width(*byte, style);
            if taken + wide > room && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                taken = 0.0;
            }
            line.push(*byte);
            taken += wide;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::BODY;

    #[test]
    fn foreign_letters_stay_distinguishable() {
        assert_eq!(encode("a–b é €"), b"a\x96b \xe9 \x80");
        assert_eq!(encode("日\u{202e}\0"), b"{U+65E5}{U+202E}{U+0000}");
    }

    #[test]
    fn no_line_is_wider_than_its_room() {
        let text = encode(&format!(
            "{} and {}",
            "w".repeat(300),
            "some words ".repeat(30)
        ));
        let lines = wrap(&text, 100.0, BODY);
        assert!(lines.len() > 10);
        assert!(lines.iter().all(|line| width(line, BODY) <= 100.0));
        let letters = |bytes: &[u8]| bytes.iter().filter(|byte| **byte != b' ').count();
        assert_eq!(letters(&lines.concat()), letters(&text));
    }
}
