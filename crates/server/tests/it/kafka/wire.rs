//! Kafka's types: numbers in network order, texts and lists with their lengths before them, and batches of records.

/// Reads a request from its front.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn bytes(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    pub(super) fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.bytes(2).try_into().unwrap())
    }

    pub(super) fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.bytes(4).try_into().unwrap())
    }

    pub(super) fn i64(&mut self) -> i64 {
        i64::from_be_bytes(self.bytes(8).try_into().unwrap())
    }

    pub(super) fn text(&mut self) -> String {
        let length = self.i16();
        let bytes = self.bytes(usize::try_from(length).unwrap_or(0));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    pub(super) fn blob(&mut self) -> &'b [u8] {
        let length = self.i32();
        self.bytes(usize::try_from(length).unwrap())
    }
}

/// Writes an answer to its end.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn i8(self, number: i8) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn i16(self, number: i16) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn i32(self, number: i32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn i64(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn text(self, text: &str) -> Self {
        let length = i16::try_from(text.len()).unwrap();
        self.i16(length).bytes(text.as_bytes())
    }

    pub(super) fn blob(self, bytes: &[u8]) -> Self {
        let length = i32::try_from(bytes.len()).unwrap();
        self.i32(length).bytes(bytes)
    }

    /// A number as records have it: signed, folded, seven bits at a time.
    fn varint(mut self, number: i64) -> Self {
        let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
        loop {
            let bits = u8::try_from(left & 0x7f).unwrap();
            left >>= 7;
            if left == 0 {
                self.0.push(bits);
                return self;
            }
            self.0.push(bits | 0x80);
        }
    }
}

/// A batch of one record (its format's version 2).
pub(super) fn batch(offset: i64, value: &[u8]) -> Vec<u8> {
    let record = Writer::default()
        .i8(0) // attributes
        .varint(0) // later than the first
        .varint(0) // behind the first
        .varint(-1) // no key
        .varint(i64::try_from(value.len()).unwrap())
        .bytes(value)
        .varint(0); // no headers
    let checked = Writer::default()
        .i16(0) // attributes: not packed
        .i32(0) // the last record, behind the first
        .i64(1_767_225_600_000)
        .i64(1_767_225_600_000)
        .i64(-1) // no producer
        .i16(-1)
        .i32(-1)
        .i32(1)
        .varint(i64::try_from(record.0.len()).unwrap())
        .bytes(&record.0)
        .0;
    let rest = Writer::default()
        .i32(0) // the leader's epoch
        .i8(2)
        .bytes(&crc32c(&checked).to_be_bytes())
        .bytes(&checked)
        .0;
    Writer::default().i64(offset).blob(&rest).0
}

/// CRC-32C (Castagnoli), bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

#[test]
fn the_check_is_the_one_that_is_meant() {
    // RFC 3720, B.4.
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
}
