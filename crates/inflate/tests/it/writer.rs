//! Writes DEFLATE symbol by symbol, so that streams can be made which zlib never makes.

use crate::support::Numbers;

/// Bits of a stream, lowest first.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    bits: usize,
}

pub(crate) enum Token {
    Literal(u8),
    Match {
        length: usize,
        distance: usize,
    },
    /// Any symbol of the literals, with these extra bits.
    Symbol(usize),
    /// The symbol of the shortest match, and any symbol of the distances.
    Distance(usize),
}

impl Writer {
    pub(crate) fn put(&mut self, value: usize, count: usize) -> &mut Self {
        for bit in 0..count {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
        self
    }

    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(self).bytes
    }

    pub(crate) fn stored(&mut self, last: usize, content: &[u8]) -> &mut Self {
        self.put(last, 1).put(0, 2);
        self.bits = self.bytes.len() * 8;
        self.put(content.len(), 16).put(!content.len(), 16);
        self.bytes.extend_from_slice(content);
        self.bits = self.bytes.len() * 8;
        self
    }

    pub(crate) fn fixed(&mut self, last: usize, tokens: &[Token]) -> &mut Self {
        self.put(last, 1).put(1, 2);
        let mut literals = [8; 288];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        self.tokens(&literals, &[5; 32], tokens)
    }

    /// A block with these lengths of codes, and `tokens`, which must be ended.
    pub(crate) fn dynamic(
        &mut self,
        last: usize,
        literals: &[u8],
        distances: &[u8],
        tokens: &[Token],
    ) -> &mut Self {
        self.head(last, literals, distances);
        self.tokens(literals, distances, tokens)
    }

    /// What comes before the symbols of a dynamic block.
    pub(crate) fn head(&mut self, last: usize, literals: &[u8], distances: &[u8]) -> &mut Self {
        self.put(last, 1).put(2, 2);
        self.put(literals.len() - 257, 5)
            .put(distances.len() - 1, 5)
            .put(15, 4);
        // The lengths from 0 to 15 with four bits each, no repetitions; those stand first.
        for length in [0, 0, 0].into_iter().chain([4; 16]) {
            self.put(length, 3);
        }
        let code = codes(&[4; 16]);
        for length in literals.iter().chain(distances) {
            self.put(code[usize::from(*length)], 4);
        }
        self
    }

    fn tokens(&mut self, literals: &[u8], distances: &[u8], tokens: &[Token]) -> &mut Self {
        let (literal_codes, distance_codes) = (codes(literals), codes(distances));
        for token in tokens {
            let literal = |writer: &mut Self, symbol: usize| {
                writer.put(literal_codes[symbol], usize::from(literals[symbol]));
            };
            let distance = |writer: &mut Self, symbol: usize| {
                writer.put(distance_codes[symbol], usize::from(distances[symbol]));
            };
            match *token {
                Token::Literal(byte) => literal(self, usize::from(byte)),
                Token::Symbol(symbol) => literal(self, symbol),
                Token::Match {
                    length,
                    distance: far,
                } => {
                    let (symbol, extra, count) = length_symbol(length);
                    literal(self, symbol);
                    self.put(extra, count);
                    let (symbol, extra, count) = distance_symbol(far);
                    distance(self, symbol);
                    self.put(extra, count);
                }
                Token::Distance(symbol) => {
                    literal(self, 257);
                    distance(self, symbol);
                }
            }
        }
        self
    }
}

/// The codes with these lengths (RFC 1951, 3.2.2), first bit lowest.
fn codes(lengths: &[u8]) -> Vec<usize> {
    let mut codes = vec![0; lengths.len()];
    let mut code = 0;
    for length in 1..=15 {
        code <<= 1;
        for (symbol, own) in lengths.iter().enumerate() {
            if *own == length {
                codes[symbol] = (0..length).fold(0, |turned, bit| turned << 1 | code >> bit & 1);
                code += 1;
            }
        }
    }
    codes
}

/// Symbol, extra bits, and how many (RFC 1951, 3.2.5).
fn length_symbol(length: usize) -> (usize, usize, usize) {
    if length == 258 {
        return (285, 0, 0);
    }
    let mut base = 3;
    for symbol in 257..285 {
        let count = if symbol < 265 { 0 } else { (symbol - 261) / 4 };
        if length < base + (1 << count) {
            return (symbol, length - base, count);
        }
        base += 1 << count;
    }
    panic!("{length} is no length");
}

fn distance_symbol(distance: usize) -> (usize, usize, usize) {
    let mut base = 1;
    for symbol in 0..30 {
        let count = if symbol < 4 { 0 } else { symbol / 2 - 1 };
        if distance < base + (1 << count) {
            return (symbol, distance - base, count);
        }
        base += 1 << count;
    }
    panic!("{distance} is no distance");
}

/// Lengths of a complete code of `count` symbols, at most 15, spread over `of` symbols of which `wanted` is one.
pub(crate) fn random_code(
    numbers: &mut Numbers,
    count: usize,
    of: usize,
    wanted: usize,
) -> Vec<u8> {
    let mut leaves = vec![0_u8];
    while leaves.len() < count {
        // The last leaf again and again makes long codes, any leaf makes short ones.
        let mut leaf = numbers.below(leaves.len());
        if numbers.below(3) > 0 {
            leaf = leaves.len() - 1;
        }
        if leaves[leaf] < 15 {
            leaves[leaf] += 1;
            leaves.push(leaves[leaf]);
        }
    }
    let mut lengths = vec![0; of];
    lengths[wanted] = leaves.pop().unwrap();
    for length in leaves {
        let symbol = loop {
            let symbol = numbers.below(of);
            if lengths[symbol] == 0 {
                break symbol;
            }
        };
        lengths[symbol] = length;
    }
    lengths
}

impl Writer {
    /// Whether there are codes for a match.
    pub(crate) fn has(literals: &[u8], distances: &[u8], length: usize, distance: usize) -> bool {
        literals[length_symbol(length).0] > 0 && distances[distance_symbol(distance).0] > 0
    }
}
