//! A fake of the API server: lists in pages, watches with bookmarks, and all that goes wrong with them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

use seareeve_collect::kubernetes::{Connection, Credentials};
use serde_json::{Value, json};

/// What happens to the next request for a path.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is refused with this status.
    Status(u16),
    /// A page of a list beyond the first is refused: its token has expired.
    PageExpired,
    /// A watch says so and ends.
    Expired,
    /// These bytes are all that comes, and the connection ends.
    Bytes(&'static str),
    /// These bytes come again and again.
    Endless(&'static str),
    /// One byte comes after the other, and never a long silence.
    Drip,
    /// One byte comes, and then no other.
    Silent,
    /// The next event of a watch is cut in its middle.
    Cut,
    /// A watch begins with a bookmark, and ends.
    Bookmark,
    /// Nothing comes, and the connection stays.
    Mute,
}

#[derive(Default)]
struct World {
    /// By path (`/api/v1/pods`), then by namespace and name.
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    version: u64,
    /// Path, version, kind, object.
    events: Vec<(String, u64, &'static str, Value)>,
    /// Watches from before this version have expired.
    forgotten: u64,
    faults: BTreeMap<String, VecDeque<Fault>>,
    refused: BTreeMap<String, u16>,
    /// Whoever asks for these finds the connection ended.
    hung_up: BTreeSet<String>,
    /// The only `Authorization` that is taken, if not all are.
    only: Option<&'static str>,
    /// Method, path with query, the `Accept` and the `Authorization` header.
    requests: Vec<(String, String, String, String)>,
    /// Whether nothing comes any more, on any connection, and none ends.
    is_losing: bool,
    /// Whether it lets nobody through to itself any more who takes it for a proxy, too.
    is_closed: bool,
    /// All connections.
    streams: Vec<Weak<TcpStream>>,
    is_over: bool,
}

/// The server. It ends with its value.
pub(crate) struct Fake {
    address: String,
    shared: Arc<(Mutex<World>, Condvar)>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new((Mutex::new(World::default()), Condvar::new()));
        let fake = Self {
            address,
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                if shared.0.lock().unwrap().is_over {
                    return;
                }
                let stream = stream.unwrap();
                let stream = Arc::new(stream);
                shared
                    .0
                    .lock()
                    .unwrap()
                    .streams
                    .push(Arc::downgrade(&stream));
                // A client that goes away ends its thread.
                std::thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        fake
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection {
            name: "fake".to_owned(),
            server: format!("http://{}", self.address),
            authorities: None,
            skips_verification: false,
            tls_server_name: None,
            proxy: None,
            credentials: Credentials::Token("t0ken".to_owned()),
            certificate: None,
            act_as: None,
        }
    }

    /// Adds or changes an object, which watches hear of.
    pub(crate) fn put(&self, path: &str, mut object: Value) {
        let mut world = self.world();
        world.version += 1;
        let version = world.version;
        object["metadata"]["resourceVersion"] = version.to_string().into();
        let name = name_of(&object);
        let of_path = world.objects.entry(path.to_owned()).or_default();
        let kind = match of_path.insert(name, object.clone()) {
            Some(_) => "MODIFIED",
            None => "ADDED",
        };
        world.events.push((path.to_owned(), version, kind, object));
        self.shared.1.notify_all();
    }

    /// Takes an object out. `is_told`: whether watches hear of it.
    pub(crate) fn remove(&self, path: &str, name: &str, is_told: bool) {
        let mut world = self.world();
        world.version += 1;
        let version = world.version;
        let mut object = world.objects.get_mut(path).unwrap().remove(name).unwrap();
        object["metadata"]["resourceVersion"] = version.to_string().into();
        if is_told {
            world
                .events
                .push((path.to_owned(), version, "DELETED", object));
        } else {
            world.forgotten = version;
        }
        self.shared.1.notify_all();
    }

    /// What happens to the next requests for `path`, a list's or (`watch:` before the path) a watch's.
    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        let mut world = self.world();
        world
            .faults
            .entry(path.to_owned())
            .or_default()
            .push_back(fault);
        self.shared.1.notify_all();
    }

    /// Refuses all requests for `path`.
    pub(crate) fn refuse(&self, path: &str, status: u16) {
        self.world().refused.insert(path.to_owned(), status);
    }

    /// Knows nobody any more who does not come with this `Authorization`.
    pub(crate) fn know_only(&self, authorization: &'static str) {
        self.world().only = Some(authorization);
    }

    /// Ends the connection of whoever asks for `path`, a list's or (`watch:` before it) a watch's, or no longer does.
    pub(crate) fn hang_up(&self, path: &str, does: bool) {
        let mut world = self.world();
        match does {
            true => world.hung_up.insert(path.to_owned()),
            false => world.hung_up.remove(path),
        };
    }

    /// Loses what comes and goes, or no longer does. No connection ends by it, and nothing ever comes on those of
    /// meanwhile.
    pub(crate) fn lose(&self, is_losing: bool) {
        self.world().is_losing = is_losing;
        self.shared.1.notify_all();
    }

    /// The same server behind a proxy, which it is itself.
    pub(crate) fn proxied(&self) -> Connection {
        Connection {
            proxy: Some(self.connection().server),
            ..self.connection()
        }
    }

    /// As a proxy, ends all connections and lets nobody through any more, or does again.
    pub(crate) fn close(&self, is_closed: bool) {
        let mut world = self.world();
        world.is_closed = is_closed;
        let streams = std::mem::take(&mut world.streams);
        for stream in streams.iter().filter_map(Weak::upgrade) {
            // It may have ended by itself.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// All requests until now: method, path with query, `Accept`, `Authorization`.
    pub(crate) fn requests(&self) -> Vec<(String, String, String, String)> {
        self.world().requests.clone()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.0.lock().unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.world().is_over = true;
        self.shared.1.notify_all();
        // Wakes the thread that takes connections.
        drop(TcpStream::connect(&self.address));
    }
}

fn name_of(object: &Value) -> String {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    format!("{}/{}", part("namespace"), part("name"))
}

/// The path of a resource's list.
pub(crate) fn path_of(api_version: &str, plural: &str) -> String {
    match api_version.split_once('/') {
        Some(_) => format!("/apis/{api_version}/{plural}"),
        None => format!("/api/{api_version}/{plural}"),
    }
}

fn serve(stream: &TcpStream, shared: &(Mutex<World>, Condvar)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (mut accept, mut authorization) = (String::new(), String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            match header.trim().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("accept") => {
                    accept = value.to_owned()
                }
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                    authorization = value.to_owned();
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query: BTreeMap<&str, &str> = query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .collect();
        let is_watch = query.contains_key("watch");
        let mut is_known = true;
        let fault = {
            let mut world = shared.0.lock().unwrap();
            if let Some(only) = world.only {
                is_known = authorization == only;
            }
            if method == "CONNECT" {
                let status = if world.is_closed { 502 } else { 200 };
                drop(world);
                write!(writer, "HTTP/1.1 {status} X\r\n\r\n")?;
                continue;
            }
            world
                .requests
                .push((method, target.clone(), accept.clone(), authorization));
            if world.is_losing {
                drop(world);
                return mute(writer);
            }
            let key = if is_watch {
                format!("watch:{path}")
            } else {
                path.to_owned()
            };
            if world.hung_up.contains(&key) {
                return stream.shutdown(Shutdown::Both);
            }
            let is_page = query.contains_key("continue");
            let faults = world.faults.entry(key).or_default();
            match faults.front() {
                Some(Fault::PageExpired) if !is_page => None,
                Some(_) => faults.pop_front(),
                None => None,
            }
        };
        let refused = shared.0.lock().unwrap().refused.get(path).copied();
        let status = match &fault {
            _ if !is_known => Some(401),
            Some(Fault::Status(status)) => Some(*status),
            Some(Fault::PageExpired) => Some(410),
            _ => refused,
        };
        if let Some(status) = status {
            let body = json!({"kind": "Status", "message": "refused by the fake", "code": status});
            answer(writer, status, &body)?;
            continue;
        }
        match fault {
            Some(Fault::Bytes(bytes)) => {
                begin(writer)?;
                return chunk(writer, bytes.as_bytes());
            }
            Some(Fault::Endless(bytes)) => {
                begin(writer)?;
                loop {
                    chunk(writer, bytes.repeat(1_000).as_bytes())?;
                }
            }
            Some(Fault::Drip) => {
                begin(writer)?;
                loop {
                    chunk(writer, b" ")?;
                    std::thread::park_timeout(Duration::from_millis(20));
                }
            }
            Some(Fault::Silent) => {
                begin(writer)?;
                chunk(writer, b" ")?;
                return mute(writer);
            }
            Some(Fault::Mute) => return mute(writer),
            _ if is_watch => return watch(writer, path, &query, fault.as_ref(), shared),
            _ => {}
        }
        let world = shared.0.lock().unwrap();
        let body = match path {
            "/version" => json!({"gitVersion": "v1.31.4", "platform": "linux/amd64"}),
            "/apis" => {
                json!({"kind": "APIGroupList", "groups": [{"name": "apps"}, {"name": "kyverno.io"}]})
            }
            _ => match list(&world, path, &query, &accept) {
                Some(list) => list,
                None => {
                    drop(world);
                    answer(writer, 404, &json!({"message": "no such resource"}))?;
                    continue;
                }
            },
        };
        drop(world);
        answer(writer, 200, &body)?;
    }
}

fn list(world: &World, path: &str, query: &BTreeMap<&str, &str>, accept: &str) -> Option<Value> {
    let objects = world.objects.get(path)?;
    let from: usize = query
        .get("continue")
        .map_or(0, |token| token.parse().unwrap());
    let limit: usize = query
        .get("limit")
        .map_or(usize::MAX, |limit| limit.parse().unwrap());
    let items: Vec<Value> = objects
        .values()
        .skip(from)
        .take(limit)
        .map(|object| shown(object, accept))
        .collect();
    let next = from + items.len();
    let mut metadata = json!({"resourceVersion": world.version.to_string()});
    if next < objects.len() {
        metadata["continue"] = next.to_string().into();
    }
    // Go writes an empty list as null.
    let items = if items.is_empty() {
        Value::Null
    } else {
        items.into()
    };
    Some(json!({"kind": "SomeList", "metadata": metadata, "items": items}))
}

/// An object as a list has it: without kind, and only with metadata where only that is wanted.
fn shown(object: &Value, accept: &str) -> Value {
    let mut object = object.clone();
    let map = object.as_object_mut().unwrap();
    map.remove("kind");
    map.remove("apiVersion");
    if accept.contains("as=PartialObjectMetadata") {
        map.retain(|key, _| key == "metadata");
    }
    map.entry("nothing").or_insert(Value::Null);
    object["metadata"]["managedFields"] = json!([{"fieldsV1": {"f:spec": {}}}]);
    object
}

fn watch(
    mut writer: &TcpStream,
    path: &str,
    query: &BTreeMap<&str, &str>,
    fault: Option<&Fault>,
    shared: &(Mutex<World>, Condvar),
) -> std::io::Result<()> {
    let mut from: u64 = query["resourceVersion"].parse().unwrap();
    begin(writer)?;
    let expired =
        json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}});
    let is_forgotten = from < shared.0.lock().unwrap().forgotten;
    match fault {
        Some(Fault::Expired) => return chunk(writer, format!("{expired}\n").as_bytes()),
        Some(Fault::Bookmark) => {
            let version = shared.0.lock().unwrap().version;
            let mark = json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version.to_string()}}});
            return chunk(writer, format!("{mark}\n").as_bytes());
        }
        _ if is_forgotten => return chunk(writer, format!("{expired}\n").as_bytes()),
        _ => {}
    }
    loop {
        let next = {
            let mut world = shared.0.lock().unwrap();
            loop {
                if world.is_losing {
                    drop(world);
                    return mute(writer);
                }
                if world.is_over || from < world.forgotten {
                    return writer.shutdown(Shutdown::Both);
                }
                // A fault that is told while a watch goes on ends it; the next one has it.
                let has_fault = world
                    .faults
                    .get(&format!("watch:{path}"))
                    .is_some_and(|faults| !faults.is_empty());
                if has_fault {
                    return writer.shutdown(Shutdown::Both);
                }
                let next = world
                    .events
                    .iter()
                    .find(|(of, version, ..)| of == path && *version > from)
                    .cloned();
                if let Some(next) = next {
                    break next;
                }
                world = shared.1.wait(world).unwrap();
            }
        };
        let (_, version, kind, object) = next;
        let event = format!("{}\n", json!({"type": kind, "object": object}));
        if matches!(fault, Some(Fault::Cut)) {
            let (half, _) = event.split_at(event.len() / 2);
            return chunk(writer, half.as_bytes());
        }
        chunk(writer, event.as_bytes())?;
        writer.flush()?;
        from = version;
    }
}

/// Says nothing until the client goes away.
fn mute(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.read(&mut [0]).map(drop)
}

fn answer(mut writer: &TcpStream, status: u16, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    write!(
        writer,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn begin(mut writer: &TcpStream) -> std::io::Result<()> {
    writer.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
}

fn chunk(mut writer: &TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    write!(writer, "{:x}\r\n", bytes.len())?;
    writer.write_all(bytes)?;
    writer.write_all(b"\r\n")
}
