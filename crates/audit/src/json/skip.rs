//! Where an object or a list ends, 64 bytes at a time.
//!
//! Most of an event is a body, and most bodies are stepped over. So bytes are not looked at one by one: of each block
//! there are four sets of bits (quotes, backslashes, opening and closing brackets), brackets within strings are masked
//! out, and the others are counted. Plain arithmetic that compilers turn into vector instructions, without `unsafe`.

/// Bytes of a block: one bit each.
const BLOCK: usize = 64;

/// An object or a list that was stepped over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// Its bytes.
    pub(super) length: usize,
    /// How deep it is nested at most: up to half a block more than it is.
    pub(super) depth: usize,
}

/// The object or list that `text` begins with; `None` when it does not end. Brackets are counted, whatever their form:
/// what is inside is looked at when it is wanted.
pub(super) fn container(text: &[u8]) -> Option<Container> {
    // Many are empty.
    if let [b'{', b'}', ..] | [b'[', b']', ..] = text {
        return Some(Container {
            length: 2,
            depth: 1,
        });
    }
    let mut deepest = 0;
    let mut depth = 0_usize;
    let mut strings = Strings::default();
    let (blocks, tail) = text.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    let mut at = 0_usize;
    for block in blocks.iter().chain(std::iter::once(&last)) {
        let outside = !strings.inside(block);
        // `[` and `{` differ in one bit only, as `]` and `}` do.
        let opening = bits(block, |byte| byte | 0x20 == b'{') & outside;
        let closing = bits(block, |byte| byte | 0x20 == b'}') & outside;
        let (opened, closed) = (count(opening), count(closing));
        deepest = deepest.max(depth.saturating_add(opened));
        if depth > closed {
            depth = depth.saturating_sub(closed).saturating_add(opened);
        } else {
            let mut brackets = opening | closing;
            while brackets != 0 {
                let first = brackets & brackets.wrapping_neg();
                if opening & first != 0 {
                    depth = depth.saturating_add(1);
                } else {
                    depth = depth.saturating_sub(1);
                }
                if depth == 0 {
                    let within = usize::try_from(first.trailing_zeros()).ok()?;
                    return Some(Container {
                        length: at.saturating_add(within).saturating_add(1),
                        depth: deepest,
                    });
                }
                brackets ^= first;
            }
        }
        at = at.saturating_add(BLOCK);
    }
    None
}

/// What of a text lies within strings, block by block.
#[derive(Default)]
struct Strings {
    /// All ones while a string is open.
    open: u64,
    /// Whether the next byte is escaped: one or zero.
    escapes: u64,
}

impl Strings {
    /// The bytes of a block that are within strings, opening quotes among them.
    fn inside(&mut self, block: &[u8; BLOCK]) -> u64 {
        let backslashes = bits(block, |byte| byte == b'\\');
        let escaped = self.escaped(backslashes);
        let quotes = bits(block, |byte| byte == b'"') & !escaped;
        // Each bit becomes the parity of the quotes up to it.
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.open;
        self.open = if inside >> 63 == 1 { u64::MAX } else { 0 };
        inside
    }

    /// The bytes that follow a backslash which is not itself escaped. Backslashes stand in strings only.
    fn escaped(&mut self, mut backslashes: u64) -> u64 {
        let mut escaped = std::mem::take(&mut self.escapes);
        backslashes &= !escaped;
        while backslashes != 0 {
            let first = backslashes & backslashes.wrapping_neg();
            if first >> 63 == 1 {
                self.escapes = 1;
            }
            escaped |= first << 1;
            backslashes &= !(first | first << 1);
        }
        escaped
    }
}

/// One bit for each byte of a block that `is` true of.
#[inline]
fn bits(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> u64 {
    let mut marks = [0_u8; BLOCK];
    for (mark, byte) in marks.iter_mut().zip(block) {
        *mark = u8::from(is(*byte));
    }
    let mut bits = 0;
    let (words, _) = marks.as_chunks::<8>();
    for (word, shift) in words.iter().zip((0_u32..).step_by(8)) {
        // Gathers the lowest bits of eight bytes in one.
        let gathered = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << shift;
    }
    bits
}

fn count(bits: u64) -> usize {
    usize::try_from(bits.count_ones()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, byte by byte.
    fn plainly(text: &[u8]) -> Option<usize> {
        let (mut depth, mut is_string, mut is_escaped) = (0, false, false);
        for (at, byte) in text.iter().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_string => is_escaped = true,
                b'"' => is_string = !is_string,
                b'{' | b'[' if !is_string => depth += 1,
                b'}' | b']' if !is_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    #[test]
    fn it_ends_where_it_ends_wherever_blocks_do() {
        let strings = [
            "",
            "x",
            "}",
            "]}{",
            r#"\""#,
            r"\\",
            r#"\\\"}"#,
            r#"a\"{\"b\\"#,
        ];
        for filling in 0..140 {
            for string in strings {
                let filler = "y".repeat(filling);
                for text in [
                    format!(r#"{{"{filler}":"{string}","k":[{{}},"{string}"]}}]}}"#),
                    format!(r#"[["{string}{filler}"],{{"{string}":{filling}}}] ]"#),
                    format!(r#"{{"{string}":"{filler}"#),
                ] {
                    let text = text.as_bytes();
                    let length = container(text).map(|found| found.length);
                    assert_eq!(length, plainly(text), "{filling} {string}");
                    // A text that ends too early is no container, wherever it ends.
                    let end = plainly(text).map_or(text.len(), |end| end - 1);
                    assert_eq!(container(&text[..end]), None);
                }
            }
        }
    }

    #[test]
    fn runs_of_backslashes_cross_blocks() {
        for before in 50..70 {
            for run in 0..140 {
                let text = format!(
                    r#"["{}{}", "}}"]  "]"#,
                    "x".repeat(before),
                    r"\".repeat(run)
                );
                assert_eq!(
                    container(text.as_bytes()).map(|found| found.length),
                    plainly(text.as_bytes()),
                    "{before} {run}"
                );
            }
        }
    }

    #[test]
    fn depth_is_told_and_never_too_small() {
        for depth in [1, 2, 60, 64, 65, 200, 1_000] {
            let (opening, closing) = ("[".repeat(depth), "]".repeat(depth));
            for text in [
                format!("{opening}{closing}"),
                format!("[{},1,{opening}{closing}]", "[],".repeat(100)),
            ] {
                let told = container(text.as_bytes()).unwrap().depth;
                assert!(
                    (depth..=depth + BLOCK / 2 + 1).contains(&told),
                    "{depth} {told}"
                );
            }
        }
    }
}
