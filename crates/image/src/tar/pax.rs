//! The records of a pax extended header (POSIX.1-2001, "pax Header Block").

/// What the records before an entry say about it.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    /// The name is in the walker's buffer and wins over the header's.
    pub(crate) has_path: bool,
    /// The link's target is in the walker's buffer and wins over the header's.
    pub(crate) has_link: bool,
    /// Bytes of content that follow.
    pub(crate) size: Option<u64>,
    /// The content is a sparse map with data, in one of GNU tar's three ways.
    pub(crate) sparse: bool,
}

impl Extensions {
    /// Reads all records of one extended header.
    ///
    /// # Errors
    /// On the first broken record, like Go: whatever follows could be anything.
    pub(crate) fn read(
        &mut self,
        records: &[u8],
        path: &mut Vec<u8>,
        link: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let mut rest = records;
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or("a pax record is broken")?;
            rest = after;
            self.apply(key, value, path, link)?;
        }
        Ok(())
    }

    fn apply(
        &mut self,
        key: &[u8],
        value: &[u8],
        path: &mut Vec<u8>,
        link: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        match key {
            // An empty value takes back an earlier record.
            b"path" | b"GNU.sparse.name" => {
                self.has_path = !value.is_empty();
                path.clear();
                path.extend_from_slice(value);
            }
            b"linkpath" => {
                self.has_link = !value.is_empty();
                link.clear();
                link.extend_from_slice(value);
            }
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(decimal(value).ok_or("a pax size is not a number")?),
            _ => {}
        }
        self.sparse |= key.starts_with(b"GNU.sparse.");
        Ok(())
    }
}

/// Takes `LENGTH KEY=VALUE\n` off the front; the length counts the whole record.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|b| *b == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let text = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|b| *b == b'=')?;
    let (key, value) = text.split_at_checked(equals)?;
    Some((key, value.strip_prefix(b"=")?, rest))
}

fn decimal(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records_and_refuses_broken_ones() {
        let (mut path, mut link) = (Vec::new(), Vec::new());
        let mut found = Extensions::default();
        let records = b"16 path=usr/a=b\n20 size=18446744073\n12 comment=\n";
        found.read(records, &mut path, &mut link).unwrap();
        assert_eq!(path, b"usr/a=b");
        assert_eq!(found.size, Some(18_446_744_073));
        for bad in [
            &b"0 a=b\n"[..],
            b"5 a=b\n",
            b"99999999999999999999 a=b\n",
            b"7 a=b\n",
            b"6 ab\n\n",
            b"a=b\n",
            b"-6 a=b\n",
            b"9 size=x\n",
            b"26 size=99999999999999999999\n",
        ] {
            let broken = Extensions::default().read(bad, &mut path, &mut link);
            assert!(broken.is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
