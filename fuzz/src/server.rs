//! A server that answers each request with the next part of the input: a registry, a token server or an engine
//! that says whatever it likes.
//!
//! A part is a status, lines of headers, an empty line and a body. `sha256:@3` in it stands for the digest of the
//! body of part 3, because no fuzzer finds a digest, and `@host` for the server's own address.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use seareeve_model::Digest;
use sha2::Digest as _;

use crate::made::parts;

/// Begins each part but the first.
pub(crate) const MARK: &[u8] = b"\n====\n";
/// Parts that count.
const MOST: usize = 12;

/// A server on loopback, or on a socket. It lives as long as the process.
pub(crate) struct Server {
    /// `127.0.0.1:PORT`; empty on a socket.
    pub(crate) host: String,
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
}

impl Server {
    pub(crate) fn on_loopback() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let address = listener.local_addr().expect("a bound port");
        let answers = serve(move || Some(listener.accept().ok()?.0));
        let host = address.to_string();
        Self { host, answers }
    }

    pub(crate) fn on_socket(path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket in a folder of ours");
        let answers = serve(move || Some(listener.accept().ok()?.0));
        let host = String::new();
        Self { host, answers }
    }

    /// What is answered from now on. When all was said, nothing is found any more.
    pub(crate) fn set(&self, input: &[u8]) {
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        let mut answers = VecDeque::new();
        // From the last on, so that a part can hold the digest of one behind it.
        let parts = parts(input, MARK, MOST);
        for part in parts.iter().rev() {
            let text = self.filled(part, &bodies, parts.len());
            let (head, body) = match text.windows(2).position(|window| window == b"\n\n") {
                Some(at) => (
                    text.get(..at).unwrap_or_default(),
                    text.get(at.saturating_add(2)..).unwrap_or_default(),
                ),
                None => (text.as_slice(), [].as_slice()),
            };
            let mut answer = b"HTTP/1.1 ".to_vec();
            let mut lines = head.split(|byte| *byte == b'\n');
            answer.extend_from_slice(lines.next().unwrap_or_default());
            answer.extend_from_slice(b" x\r\nconnection: close\r\n");
            for line in lines {
                answer.extend_from_slice(line);
                answer.extend_from_slice(b"\r\n");
            }
            // A part may lie about its length.
            if !head.windows(15).any(|window| window == b"content-length:") {
                answer.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
            }
            answer.extend_from_slice(b"\r\n");
            answer.extend_from_slice(body);
            answers.push_front(answer);
            bodies.push(body.to_vec());
        }
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }

    /// Puts in what stands for something. `bodies` are those behind this part, the last one first, of `count`.
    fn filled(&self, part: &[u8], bodies: &[Vec<u8>], count: usize) -> Vec<u8> {
        let mut filled = Vec::with_capacity(part.len());
        let mut rest = part;
        while let Some((byte, behind)) = rest.split_first() {
            if let Some(behind) = rest.strip_prefix(b"@host") {
                filled.extend_from_slice(self.host.as_bytes());
                rest = behind;
                continue;
            }
            if let Some([number, behind @ ..]) = rest.strip_prefix(b"sha256:@") {
                let from_end = count.checked_sub(usize::from(number.saturating_sub(b'0')) + 1);
                let body = from_end.and_then(|index| bodies.get(index));
                let hash = sha2::Sha256::digest(body.map(Vec::as_slice).unwrap_or_default());
                filled.extend_from_slice(Digest::sha256(&hash.into()).as_str().as_bytes());
                rest = behind;
                continue;
            }
            filled.push(*byte);
            rest = behind;
        }
        filled
    }
}

fn serve<S: Read + Write>(
    accept: impl Fn() -> Option<S> + Send + 'static,
) -> Arc<Mutex<VecDeque<Vec<u8>>>> {
    let answers: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::default();
    let next = Arc::clone(&answers);
    std::thread::spawn(move || {
        while let Some(stream) = accept() {
            answer(stream, &next);
        }
    });
    answers
}

/// Answers one request and closes. Whoever asked may be gone already.
fn answer(stream: impl Read + Write, answers: &Mutex<VecDeque<Vec<u8>>>) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => {}
        }
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    // A body that is not read would reset the connection.
    let _ = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink());
    let next = answers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front();
    let none = b"HTTP/1.1 404 x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let _ = reader.get_mut().write_all(next.as_deref().unwrap_or(none));
}
