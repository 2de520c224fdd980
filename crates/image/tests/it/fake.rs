//! A small HTTP server that plays registries, token servers and engines.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) authorization: Option<String>,
    pub(crate) range: Option<String>,
    pub(crate) body: String,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Claimed length of the body, when it is a lie.
    pub(crate) length: Option<usize>,
    /// How long each byte of the body takes.
    pub(crate) trickle: Duration,
}

pub(crate) fn reply(status: u16, body: &[u8]) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.to_vec(),
        length: None,
        trickle: Duration::ZERO,
    }
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server on a free port of loopback. It lives as long as the test process.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = serve(handler, move || Some(listener.accept().ok()?.0));
        Self { port, seen }
    }

    /// A server on a socket at `path`.
    pub(crate) fn on_socket(
        path: &Path,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let seen = serve(handler, move || Some(listener.accept().ok()?.0));
        Self { port: 0, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen()
            .into_iter()
            .map(|request| request.target)
            .collect()
    }
}

fn serve<S: Read + Write + Send + 'static>(
    handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    accept: impl Fn() -> Option<S> + Send + 'static,
) -> Arc<Mutex<Vec<Request>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler: Arc<Handler> = Arc::new(handler);
    let log = Arc::clone(&seen);
    std::thread::spawn(move || {
        while let Some(stream) = accept() {
            let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
            std::thread::spawn(move || answer(stream, handler.as_ref(), &log));
        }
    });
    seen
}

/// Answers one request and closes, which keeps the server simple.
fn answer(stream: impl Read + Write, handler: &Handler, log: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let mut headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.get("content-length");
    let length = length.map_or(0, |text| text.parse().unwrap());
    let mut body = String::new();
    reader
        .by_ref()
        .take(length)
        .read_to_string(&mut body)
        .unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    let request = Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        host: headers.remove("host").unwrap_or_default(),
        authorization: headers.remove("authorization"),
        range: headers.remove("range"),
        body,
    };
    log.lock().unwrap().push(request.clone());
    let reply = handler(&request);
    let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
    head += &format!(
        "Content-Length: {}\r\n",
        reply.length.unwrap_or(reply.body.len())
    );
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    let stream = reader.get_mut();
    // The client may be gone already; that is for the test to judge.
    let _ = stream.write_all(head.as_bytes());
    if reply.trickle.is_zero() {
        let _ = stream.write_all(&reply.body);
        return;
    }
    for byte in reply.body.chunks(1) {
        std::thread::sleep(reply.trickle);
        if stream.write_all(byte).is_err() {
            return;
        }
    }
}
