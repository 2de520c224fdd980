//! Where in a binary to look: the formats' headers, as far as they stand at its beginning.
//!
//! ELF: System V ABI, "ELF Header" and "Program Header". PE and Mach-O are searched whole.

use std::ops::Range;

/// How much of the beginning is looked at. Linkers write the program headers, and Go's linker its note,
/// into the first page.
pub(super) const HEAD: usize = 8192;

/// Program headers that are read. Real files have a dozen.
const MOST_SEGMENTS: usize = 256;

const PT_LOAD: u32 = 1;
const PF_X: u32 = 1;
const PF_W: u32 = 2;

/// One piece of the file that is loaded into memory.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) file: Range<u64>,
    address: u64,
    is_executable: bool,
    pub(super) is_writable: bool,
}

/// What the beginning of a binary says about the rest.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Sorted by their place in the file.
    pub(super) segments: Vec<Segment>,
    /// Where the loaded part of the file ends and sections begin that only tools read. `None` where the
    /// format does not part them.
    pub(super) unloaded: Option<u64>,
    /// Whether it has the note of Go's linker.
    pub(super) is_go: bool,
}

/// Whether a file that begins with `head` (at least four bytes) is a binary that can be run.
pub(super) fn is_binary(head: &[u8]) -> bool {
    match head {
        [0x7f, b'E', b'L', b'F', ..] | [b'M', b'Z', ..] => true,
        // Mach-O for 32 and 64 bits, in both byte orders.
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => true,
        _ => false,
    }
}

impl Layout {
    /// Reads the headers in `head`, the first [`HEAD`] bytes or the whole file. `None` for files that
    /// cannot have been linked into a program or shared library: objects, core dumps.
    pub(super) fn read(head: &[u8]) -> Option<Self> {
        if !head.starts_with(b"\x7fELF") {
            return Some(Self::whole());
        }
        let elf = Elf::new(head)?;
        let kind = elf.u16(16)?;
        // ET_EXEC and ET_DYN.
        if kind != 2 && kind != 3 {
            return None;
        }
        let segments = elf.segments().unwrap_or_default();
        if segments.is_empty() {
            return Some(Self::whole());
        }
        let unloaded = segments.iter().map(|segment| segment.file.end).max();
        Some(Self {
            segments,
            unloaded,
            is_go: elf.has_go_note(),
        })
    }

    /// Of a file whose parts are not told apart.
    fn whole() -> Self {
        Self {
            segments: vec![Segment {
                file: 0..u64::MAX,
                address: 0,
                is_executable: false,
                is_writable: true,
            }],
            unloaded: None,
            is_go: false,
        }
    }

    /// The parts that can hold data. Machine code is left out where the linker keeps it apart from
    /// constants; not all do.
    pub(super) fn data(&self) -> Vec<Range<u64>> {
        let is_code = |segment: &Segment| segment.is_executable && !segment.is_writable;
        let is_constant = |segment: &Segment| !segment.is_executable && !segment.is_writable;
        // The first page alone, with headers and notes, is no place of constants.
        let is_apart = self
            .segments
            .iter()
            .any(|segment| is_constant(segment) && segment.file.start > 0);
        let wanted = self
            .segments
            .iter()
            .filter(|segment| !(is_apart && is_code(segment)));
        let mut parts: Vec<Range<u64>> = Vec::new();
        for part in wanted.map(|segment| segment.file.clone()) {
            match parts.last_mut() {
                Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
                _ => parts.push(part),
            }
        }
        parts
    }

    /// Whether the program may write to what stands at `offset` of the file.
    pub(super) fn is_writable(&self, offset: u64) -> bool {
        self.segments
            .iter()
            .any(|segment| segment.is_writable && segment.file.contains(&offset))
    }

    /// Where in the file stands what the program sees at `address`.
    pub(super) fn offset_of(&self, address: u64) -> Option<u64> {
        self.unloaded?;
        self.segments.iter().find_map(|segment| {
            let into = address.checked_sub(segment.address)?;
            let offset = segment.file.start.checked_add(into)?;
            segment.file.contains(&offset).then_some(offset)
        })
    }
}

/// The header of an ELF file of either class and byte order.
struct Elf<'a> {
    head: &'a [u8],
    is_64: bool,
    is_big_endian: bool,
}

impl<'a> Elf<'a> {
    fn new(head: &'a [u8]) -> Option<Self> {
        Some(Self {
            head,
            is_64: match head.get(4)? {
                1 => false,
                2 => true,
                _ => return None,
            },
            is_big_endian: match head.get(5)? {
                1 => false,
                2 => true,
                _ => return None,
            },
        })
    }

    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.head.get(at..at.checked_add(length)?)?;
        let join = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.is_big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        })
    }

    fn u16(&self, at: usize) -> Option<u64> {
        self.number(at, 2)
    }

    /// An address, offset or size: as long as the class says.
    fn word(&self, at: usize) -> Option<u64> {
        self.number(at, if self.is_64 { 8 } else { 4 })
    }

    /// The `PT_LOAD` segments. `None` when the table does not stand in the head, as no linker writes it.
    fn segments(&self) -> Option<Vec<Segment>> {
        let (table, size, count, flags, offset, address, length) = if self.is_64 {
            (self.word(32)?, self.u16(54)?, self.u16(56)?, 4, 8, 16, 32)
        } else {
            (self.word(28)?, self.u16(42)?, self.u16(44)?, 24, 4, 8, 16)
        };
        let table = usize::try_from(table).ok()?;
        let size = usize::try_from(size).ok()?;
        let mut segments = Vec::new();
        for index in 0..usize::try_from(count).ok()?.min(MOST_SEGMENTS) {
            let at = table.checked_add(index.checked_mul(size)?)?;
            if self.number(at, 4)? != u64::from(PT_LOAD) {
                continue;
            }
            let flags = self.number(at.checked_add(flags)?, 4)?;
            let start = self.word(at.checked_add(offset)?)?;
            let length = self.word(at.checked_add(length)?)?;
            segments.push(Segment {
                file: start..start.saturating_add(length),
                address: self.word(at.checked_add(address)?)?,
                is_executable: flags & u64::from(PF_X) != 0,
                is_writable: flags & u64::from(PF_W) != 0,
            });
        }
        segments.sort_by_key(|segment| segment.file.start);
        Some(segments)
    }

    /// A note of type 4 by the owner `Go` is the build id that Go's linker writes.
    fn has_go_note(&self) -> bool {
        let note: &[u8] = if self.is_big_endian {
            b"\0\0\0\x04Go\0\0"
        } else {
            b"\x04\0\0\0Go\0\0"
        };
        memchr::memmem::find(self.head, note).is_some()
    }
}
