//! Sockets that processes listen on, from the tables of their network namespace (proc_pid_net(5)).

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::host::root::Root;

/// Bytes of a table.
const TABLE: u64 = 16 << 20;
/// Descriptors of a process that are looked at.
const DESCRIPTORS: usize = 100_000;

/// A TCP socket that somebody listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listening {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) inode: u64,
}

impl Listening {
    pub(crate) fn data(&self) -> Value {
        json!({
            "protocol": "tcp", "address": self.address.to_string(), "port": self.port,
            "wildcard": self.address.is_unspecified(), "loopback": self.address.is_loopback(),
        })
    }
}

/// The numbers of the sockets that a process has open. Needs to be root, or the process's own user.
pub(crate) fn open(root: &Root, pid: u32) -> io::Result<BTreeSet<u64>> {
    let folder = root.place(Utf8Path::new(&format!("/proc/{pid}/fd")));
    let entries = std::fs::read_dir(folder)?.take(DESCRIPTORS);
    let inodes = entries.filter_map(|entry| {
        let target = std::fs::read_link(entry.ok()?.path()).ok()?;
        let number = target.to_str()?.strip_prefix("socket:[")?;
        number.strip_suffix(']')?.parse().ok()
    });
    Ok(inodes.collect())
}

/// The TCP sockets that are listened on in the network namespace of a process.
pub(crate) fn listening(root: &Root, pid: u32) -> io::Result<Vec<Listening>> {
    let mut found = parse_tcp(&root.text(&format!("/proc/{pid}/net/tcp"), TABLE)?);
    // Not there where IPv6 is switched off.
    let six = root.text(&format!("/proc/{pid}/net/tcp6"), TABLE);
    found.extend(parse_tcp(&six.unwrap_or_default()));
    found.sort_unstable();
    Ok(found)
}

/// The Unix sockets that are listened on there: number and path. Names without a file are left out.
pub(crate) fn listening_unix(root: &Root, pid: u32) -> io::Result<Vec<(u64, String)>> {
    Ok(parse_unix(
        &root.text(&format!("/proc/{pid}/net/unix"), TABLE)?,
    ))
}

fn parse_tcp(table: &str) -> Vec<Listening> {
    const LISTEN: &str = "0A";
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?.parse().ok()?;
        let (address, port) = local.split_once(':')?;
        (state == LISTEN).then_some(Listening {
            address: self::address(address)?,
            port: u16::from_str_radix(port, 16).ok()?,
            inode,
        })
    });
    lines.collect()
}

/// Words of 32 bits as the machine has them in memory, each printed as a number.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |index: usize| {
        let start = index.checked_mul(8)?;
        let digits = hex.get(start..start.checked_add(8)?)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = Vec::with_capacity(16);
            for index in 0..4 {
                bytes.extend(word(index)?);
            }
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

fn parse_unix(table: &str) -> Vec<(u64, String)> {
    /// `__SO_ACCEPTCON`
    const ACCEPTS: &str = "00010000";
    let lines = table.lines().skip(1).filter_map(|line| {
        // Num RefCount Protocol Flags Type St Inode Path
        let mut fields = line.splitn(8, ' ').filter(|field| !field.is_empty());
        let flags = fields.nth(3)?;
        let rest: String = line.split_once(flags)?.1.to_owned();
        let mut rest = rest.split_whitespace();
        let inode = rest.nth(2)?.parse().ok()?;
        let path: Vec<&str> = rest.collect();
        let path = path.join(" ");
        (flags == ACCEPTS && path.starts_with('/')).then_some((inode, path))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_read() {
        let four = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0947 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
bad
";
        let seen: Vec<(String, u16, u64)> = parse_tcp(four)
            .iter()
            .map(|one| (one.address.to_string(), one.port, one.inode))
            .collect();
        assert_eq!(
            seen,
            [
                ("127.0.0.1".to_owned(), 2375, 4711),
                ("0.0.0.0".to_owned(), 22, 4713)
            ]
        );
        assert_eq!(
            address("00000000000000000000000001000000")
                .unwrap()
                .to_string(),
            "::1"
        );
        assert_eq!(
            address("0000000000000000FFFF00000100007F")
                .unwrap()
                .to_string(),
            "127.0.0.1"
        );
        assert_eq!(address("ä"), None);
    }

    #[test]
    fn unix_sockets_are_read() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path
00000000aa: 00000002 00000000 00010000 0001 01 900 /run/docker.sock
00000000ab: 00000003 00000000 00000000 0001 03 901 /run/docker.sock
00000000ac: 00000002 00000000 00010000 0001 01 902 @abstract
00000000ad: 00000002 00000000 00010000 0001 01 903 /tmp/with space
00000000ae: 00000002 00000000 00010000 0001 01 904
";
        assert_eq!(
            parse_unix(table),
            [
                (900, "/run/docker.sock".to_owned()),
                (903, "/tmp/with space".to_owned())
            ]
        );
    }

    #[test]
    fn our_own_sockets_are_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let root = Root::new(Utf8Path::new("/"));
        let pid = std::process::id();
        let own = open(&root, pid).unwrap();
        let found = listening(&root, pid).unwrap();
        assert!(
            found
                .iter()
                .any(|one| one.port == port && own.contains(&one.inode))
        );
    }
}
