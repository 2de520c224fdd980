//! Which process is behind an engine's socket.

use camino::Utf8Path;

use crate::host::processes::{Process, Processes};
use crate::host::root::Root;
use crate::host::sockets;

/// The process, and how it is known: `socket` or `only`.
pub(crate) fn behind<'a>(
    root: &Root,
    processes: &'a Processes,
    socket: &Utf8Path,
    name: &str,
) -> Result<(&'a Process, &'static str), String> {
    let candidates: Vec<&Process> = processes
        .engines
        .iter()
        .filter(|process| process.name == name)
        .collect();
    let mut unread = 0_usize;
    for candidate in &candidates {
        // systemd holds a socket of its own as well, and its namespaces are not those of a rootless engine: so the
        // tables are read as the candidate sees them, and it must have the socket open itself.
        let listening = sockets::listening_unix(root, candidate.pid).unwrap_or_default();
        let Ok(open) = sockets::open(root, candidate.pid) else {
            unread = unread.saturating_add(1);
            continue;
        };
        let has = listening.iter().any(|(inode, path)| {
            open.contains(inode) && (path == socket.as_str() || is_same(root, path, socket))
        });
        if has {
            return Ok((candidate, "socket"));
        }
    }
    match (candidates.as_slice(), unread) {
        ([only], 1) => Ok((only, "only")),
        ([], _) => Err(format!("no process {name} is seen")),
        (_, 0) => Err(format!("no process {name} has {socket} open")),
        (_, _) => Err(format!(
            "there are {} processes {name}, and only root can see which one has {socket} open",
            candidates.len()
        )),
    }
}

/// The same process for an address of a network.
pub(crate) fn on_port<'a>(
    root: &Root,
    processes: &'a Processes,
    port: u16,
) -> Result<(&'a Process, &'static str), String> {
    let holder = processes.engines.iter().find(|candidate| {
        let listening = sockets::listening(root, candidate.pid).unwrap_or_default();
        let open = sockets::open(root, candidate.pid).unwrap_or_default();
        listening
            .iter()
            .any(|socket| socket.port == port && open.contains(&socket.inode))
    });
    holder
        .map(|process| (process, "socket"))
        .ok_or_else(|| format!("no engine's process listens on port {port}"))
}

fn is_same(root: &Root, path: &str, socket: &Utf8Path) -> bool {
    root.real(Utf8Path::new(path))
        .is_ok_and(|real| real == socket)
}
