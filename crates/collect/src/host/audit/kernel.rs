//! The kernel's audit rules, by netlink (netlink(7), the kernel's `linux/audit.h`).

use std::io;
use std::time::{Duration, Instant};

use super::Rule;

/// What the kernel says.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Whether it audits at all.
    pub(crate) enabled: bool,
    /// Whether its rules stay as they are until it starts again.
    pub(crate) locked: bool,
    pub(crate) rules: Vec<Rule>,
}

const AUDIT_GET: u16 = 1000;
const AUDIT_LIST_RULES: u16 = 1013;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Bytes of a message's header.
const HEADER: usize = 16;
/// The largest message (`MAX_AUDIT_MESSAGE_LENGTH`), and some.
const MESSAGE: usize = 16 << 10;
/// Messages that are read.
const MESSAGES: usize = 50_000;
/// Longest wait for all of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the kernel, which needs `CAP_AUDIT_CONTROL` in the first user and PID namespace.
#[cfg(target_os = "linux")]
pub(crate) fn ask() -> io::Result<Kernel> {
    use rustix::net::netlink;
    use rustix::net::sockopt::{Timeout, set_socket_timeout};
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
    };

    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::AUDIT),
    )?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    let started = Instant::now();
    let mut buffer = vec![0; MESSAGE];
    let mut converse = |kind, each: &mut dyn FnMut(u16, &[u8]) -> bool| -> io::Result<()> {
        send(&socket, &request(kind), SendFlags::empty())?;
        for _ in 0..MESSAGES {
            if started.elapsed() > PATIENCE {
                break;
            }
            let (read, _) = recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
            for (kind, body) in messages(buffer.get(..read).unwrap_or_default()) {
                if kind == NLMSG_ERROR && number(body, 0) != Some(0) {
                    let code = number(body, 0).unwrap_or_default().cast_signed();
                    return Err(io::Error::from_raw_os_error(code.wrapping_neg()));
                }
                if each(kind, body) {
                    return Ok(());
                }
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    };
    let mut enabled = 0;
    converse(AUDIT_GET, &mut |kind, body| {
        // struct audit_status: mask, enabled, …
        enabled = number(body, 4).unwrap_or_default();
        kind == AUDIT_GET
    })?;
    let mut rules = Vec::new();
    converse(AUDIT_LIST_RULES, &mut |kind, body| {
        if kind == AUDIT_LIST_RULES {
            rules.extend(rule(body));
        }
        kind == NLMSG_DONE
    })?;
    Ok(Kernel {
        enabled: enabled != 0,
        locked: enabled == 2,
        rules,
    })
}

/// Only Linux has it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask() -> io::Result<Kernel> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A request without a body (`struct nlmsghdr`): its length, its kind, `NLM_F_REQUEST`, its number, its sender.
fn request(kind: u16) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend(16_u32.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(1_u16.to_ne_bytes());
    bytes.extend(1_u32.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes
}

/// The messages of a datagram: kind and body.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::try_from(number(bytes, 0)?).ok()?.max(HEADER);
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let body = bytes.get(HEADER..length.min(bytes.len()))?;
        bytes = bytes
            .get(length.checked_next_multiple_of(4)?..)
            .unwrap_or_default();
        Some((kind, body))
    })
}

/// `struct audit_rule_data`: flags, action, how many fields; then 64 words each of system calls, fields, values and
/// operators; then the length of the texts, and these.
fn rule(body: &[u8]) -> Option<Rule> {
    const WORDS: usize = 64;
    const EXIT: u32 = 4;
    const PREPEND: u32 = 0x10;
    const EQUAL: u32 = 0x4000_0000;
    const ALWAYS: u32 = 2;
    let at = |word: usize| number(body, word.checked_mul(4)?);
    let table = |number: usize, index: usize| {
        at(number
            .checked_mul(WORDS)?
            .checked_add(3)?
            .checked_add(index)?)
    };
    if at(0)? & !PREPEND != EXIT {
        return None;
    }
    let mut rule = Rule {
        path: "".into(),
        recursive: None,
        perm: 15,
        key: String::new(),
        always: at(1)? == ALWAYS,
        // All but the last word are full for all system calls.
        narrowed: (0..WORDS.saturating_sub(1)).any(|index| table(0, index) != Some(u32::MAX)),
    };
    let mut texts = body.get(4 * (4 + 4 * WORDS)..)?;
    for index in 0..usize::try_from(at(2)?).ok()?.min(WORDS) {
        let (field, value) = (table(1, index)?, table(2, index)?);
        let is_equal = table(3, index)? == EQUAL;
        let mut text = || {
            let (text, rest) = texts.split_at_checked(usize::try_from(value).ok()?)?;
            texts = rest;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        match field {
            // AUDIT_ARCH
            11 => {}
            // AUDIT_WATCH, AUDIT_DIR
            105 | 107 if is_equal => {
                rule.path = text()?.into();
                rule.recursive = Some(field == 107);
            }
            // AUDIT_PERM
            106 if is_equal => rule.perm = u8::try_from(value & 15).ok()?,
            // AUDIT_FILTERKEY
            210 if is_equal => rule.key = text()?.replace('\u{1}', ","),
            // The others that have a text: labels of subject and object, the program.
            13..=17 | 19..=23 | 105 | 107 | 112 | 210 => {
                text()?;
                rule.narrowed = true;
            }
            _ => rule.narrowed = true,
        }
    }
    (!rule.path.as_str().is_empty()).then_some(rule)
}

fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    let four = bytes.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_ne_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A rule as the kernel writes it: system calls, and fields with number, value and text.
    fn message(mask: u32, fields: &[(u32, u32, &str)]) -> Vec<u8> {
        let mut words = vec![4, 2, u32::try_from(fields.len()).unwrap()];
        words.extend([mask; 63].into_iter().chain([0]));
        let column = |of: fn(&(u32, u32, &str)) -> u32| {
            let mut column: Vec<u32> = fields.iter().map(of).collect();
            column.resize(64, 0);
            column
        };
        words.extend(column(|field| field.0));
        words.extend(column(|field| match field.2.len() {
            0 => field.1,
            length => u32::try_from(length).unwrap(),
        }));
        words.extend(column(|_| 0x4000_0000));
        let texts: String = fields.iter().map(|field| field.2).collect();
        words.push(u32::try_from(texts.len()).unwrap());
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend(texts.bytes());
        bytes
    }

    #[test]
    fn rules_are_read_as_the_kernel_writes_them() {
        let fields = [(105, 0, "/x"), (106, 10, ""), (210, 0, "a\u{1}b")];
        let watch = rule(&message(u32::MAX, &fields)).unwrap();
        assert_eq!((watch.path.as_str(), watch.recursive), ("/x", Some(false)));
        assert_eq!((watch.perm, watch.key.as_str()), (10, "a,b"));
        assert!(watch.always && !watch.narrowed);
        let folder = rule(&message(u32::MAX, &[(11, 9, ""), (107, 0, "/d")])).unwrap();
        assert_eq!((folder.recursive, folder.narrowed), (Some(true), false));
        // One system call only, and one user only.
        assert!(rule(&message(1, &[(105, 0, "/x")])).unwrap().narrowed);
        let of_user = message(u32::MAX, &[(105, 0, "/x"), (9, 1000, "")]);
        assert!(rule(&of_user).unwrap().narrowed);
        // Of no path, or cut short.
        assert!(rule(&message(u32::MAX, &[(106, 10, "")])).is_none());
        let whole = message(u32::MAX, &[(105, 0, "/x")]);
        for length in 0..whole.len() {
            assert!(rule(&whole[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn messages_are_taken_apart() {
        let mut bytes = Vec::from(20_u32.to_ne_bytes());
        bytes.extend(NLMSG_ERROR.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend(request(NLMSG_DONE));
        let seen: Vec<(u16, usize)> = messages(&bytes)
            .map(|(kind, body)| (kind, body.len()))
            .collect();
        assert_eq!(seen, [(NLMSG_ERROR, 4), (NLMSG_DONE, 0)]);
        assert_eq!(messages(&[0; 15]).count(), 0);
    }

    proptest! {
        /// Any number of a sound record may be any other: lengths, counts and offsets are the kernel's, and so are
        /// those of another kernel.
        #[test]
        fn records_with_wrong_numbers_are_survived(at in 0_usize..300, number: u32, rest: Vec<u8>) {
            let mut bytes = message(u32::MAX, &[(105, 0, "/x"), (106, 10, ""), (210, 0, "key")]);
            if let Some(place) = bytes.get_mut(at * 4..at * 4 + 4) {
                place.copy_from_slice(&number.to_ne_bytes());
            }
            let _ = rule(&bytes);
            let length = u32::try_from(bytes.len() + 16).unwrap();
            let mut stream = Vec::from(length.to_ne_bytes());
            stream.extend([0; 12]);
            stream.extend(bytes);
            stream.extend(&rest);
            for (_, body) in messages(&stream).chain(messages(&rest)) {
                let _ = rule(body);
            }
        }
    }
}
