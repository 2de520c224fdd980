//! A fake of Azure: of where tokens are given out, of Resource Manager, and of a machine's metadata service, made after
//! what Microsoft publishes of them. It serves [`documents`] in pages, and all that goes wrong with them.

pub mod documents;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// The secret that the fake takes.
pub const SECRET: &str = "a-secret-of-the-fake~";
/// The federated token that it takes.
pub const FEDERATED: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.x";
/// The header that an application's identity needs.
pub const HEADER: &str = "a-header-of-the-fake";

/// What happens to a request instead of its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A refusal with this status and code.
    Status(u16, &'static str),
    /// It is told to wait for so many seconds.
    Wait(u16, u64),
    /// These bytes come with status 200.
    Bytes(&'static str),
    /// A list begins and never ends.
    Endless,
    /// A byte comes, then nothing, until the client gives up.
    Silent,
    /// The next page is said to be here.
    Next(String),
    /// Each page leads to another one, for ever.
    Pages,
    /// A redirection to this address.
    Elsewhere(String),
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The body.
    pub body: String,
}

#[derive(Default)]
struct World {
    lists: BTreeMap<String, Vec<Value>>,
    page: usize,
    faults: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Fault>,
    old: BTreeMap<String, String>,
    tokens: u64,
    lasts: u64,
    taken_back: bool,
    asked: Vec<Asked>,
    is_over: bool,
}

/// The fake. It ends with its value.
pub struct Fake {
    address: String,
    world: Arc<Mutex<World>>,
}

impl Fake {
    /// A fake that serves these lists, by path in lower case.
    ///
    /// # Panics
    /// When this machine has no port left.
    #[must_use]
    pub fn start(lists: BTreeMap<String, Vec<Value>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let world = Arc::new(Mutex::new(World {
            lists,
            page: 100,
            lasts: 3_599,
            ..World::default()
        }));
        let fake = Self {
            address: address.clone(),
            world: Arc::clone(&world),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if lock(&world).is_over {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (world, address) = (Arc::clone(&world), address.clone());
                // A client that goes away ends its thread.
                std::thread::spawn(move || drop(serve(&stream, &world, &address)));
            }
        });
        fake
    }

    /// Where its Resource Manager is.
    #[must_use]
    pub fn manager(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it gives out tokens.
    #[must_use]
    pub fn login(&self) -> String {
        format!("http://{}/login", self.address)
    }

    /// Where its machine's metadata is.
    #[must_use]
    pub fn metadata(&self) -> String {
        format!("http://{}/imds", self.address)
    }

    /// Where its application's identity is.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("http://{}/msi/token", self.address)
    }

    /// Items of one page.
    pub fn set_page(&self, items: usize) {
        lock(&self.world).page = items;
    }

    /// How long tokens last from now on, in seconds.
    pub fn set_lasts(&self, seconds: u64) {
        lock(&self.world).lasts = seconds;
    }

    /// Replaces a list.
    pub fn set(&self, path: &str, list: Vec<Value>) {
        lock(&self.world).lists.insert(path.to_lowercase(), list);
    }

    /// What happens to the next request for this path.
    pub fn fail_once(&self, path: &str, fault: Fault) {
        let mut world = lock(&self.world);
        let faults = world.faults.entry(path.to_lowercase()).or_default();
        faults.push_back(fault);
    }

    /// What happens to each request whose path ends so.
    pub fn fail(&self, end: &str, fault: Fault) {
        lock(&self.world).always.insert(end.to_lowercase(), fault);
    }

    /// From now on this `api-version` is not known where the path ends so.
    pub fn forget_version(&self, end: &str, version: &str) {
        let mut world = lock(&self.world);
        world.old.insert(end.to_lowercase(), version.to_owned());
    }

    /// Takes all tokens back: only those of later are taken.
    pub fn take_tokens_back(&self) {
        lock(&self.world).taken_back = true;
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.world).asked.clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        lock(&self.world).is_over = true;
        // Wakes the one who listens.
        drop(TcpStream::connect(&self.address));
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, world: &Mutex<World>, address: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length");
        let length: u64 = length.and_then(|it| it.parse().ok()).unwrap_or(0);
        let mut body = String::new();
        Read::by_ref(&mut reader)
            .take(length)
            .read_to_string(&mut body)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let asked = Asked {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: headers.get("authorization").cloned().unwrap_or_default(),
            body,
        };
        lock(world).asked.push(asked.clone());
        answer(stream, &asked, &headers, world, address)?;
    }
}

fn answer(
    stream: &TcpStream,
    asked: &Asked,
    headers: &BTreeMap<String, String>,
    world: &Mutex<World>,
    address: &str,
) -> std::io::Result<()> {
    let path = asked.path.to_lowercase();
    let fault = {
        let mut world = lock(world);
        let once = world.faults.get_mut(&path).and_then(VecDeque::pop_front);
        let always = || world.always.iter().find(|(end, _)| path.ends_with(*end));
        once.or_else(|| always().map(|(_, fault)| fault.clone()))
    };
    match fault {
        Some(fault) => return fail(stream, asked, fault, address),
        None if path.starts_with("/login/") => return token(stream, asked, world),
        None if path == "/imds/metadata/identity/oauth2/token" => {
            let is_meant = headers.get("metadata").is_some_and(|it| it == "true");
            return identity(stream, is_meant, world);
        }
        None if path == "/msi/token" => {
            let is_meant = headers
                .get("x-identity-header")
                .is_some_and(|it| it == HEADER);
            return identity(stream, is_meant, world);
        }
        None => {}
    }
    if asked.method != "GET" {
        return refuse(stream, 405, "MethodNotAllowed", "only reading is allowed");
    }
    let guard = lock(world);
    let known = format!("Bearer token-{}", guard.tokens);
    if asked.authorization != known || guard.taken_back {
        drop(guard);
        return refuse(stream, 401, "ExpiredAuthenticationToken", "log in anew");
    }
    let version = value_of(&asked.query, "api-version");
    let is_old = guard
        .old
        .iter()
        .any(|(end, old)| path.ends_with(end) && version.as_deref() == Some(old));
    let Some(version) = version.filter(|_| !is_old) else {
        drop(guard);
        return refuse(
            stream,
            400,
            "NoRegisteredProviderFound",
            "no such api-version",
        );
    };
    let Some(list) = guard.lists.get(&path) else {
        drop(guard);
        return refuse(stream, 404, "ResourceNotFound", "there is none");
    };
    let from: usize = value_of(&asked.query, "$skiptoken")
        .and_then(|it| it.parse().ok())
        .unwrap_or(0);
    let page: Vec<Value> = list.iter().skip(from).take(guard.page).cloned().collect();
    let next = from + guard.page;
    let mut body = json!({"value": page});
    if next < list.len() {
        let link = format!(
            "http://{address}{}?api-version={version}&$skiptoken={next}",
            asked.path
        );
        body["nextLink"] = link.into();
    }
    drop(guard);
    reply(stream, 200, &[], &body.to_string())
}

fn value_of(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    Some(value.to_owned())
}

/// Client credentials, as Entra ID takes them.
fn token(stream: &TcpStream, asked: &Asked, world: &Mutex<World>) -> std::io::Result<()> {
    let is_form = |part: &str| asked.body.split('&').any(|pair| pair == part);
    let secret = format!("client_secret={}", SECRET.replace('~', "%7E"));
    let plain = format!("client_secret={SECRET}");
    let federated = format!("client_assertion={FEDERATED}");
    let signed = asked.body.split('&').any(|pair| {
        let token = pair.strip_prefix("client_assertion=");
        token.is_some_and(|token| token.matches('.').count() == 2 && token.len() > 500)
    });
    let is_known = is_form(&secret) || is_form(&plain) || is_form(&federated) || signed;
    if !is_form("grant_type=client_credentials") || !is_known {
        let body = json!({
            "error": "invalid_client",
            "error_description": format!("AADSTS7000215: Invalid client secret provided. {}\r\nTrace ID: 1", asked.body),
        });
        return reply(stream, 401, &[], &body.to_string());
    }
    let (number, lasts) = issue(world);
    let body = json!({
        "token_type": "Bearer", "expires_in": lasts, "ext_expires_in": lasts,
        "access_token": format!("token-{number}"),
    });
    reply(stream, 200, &[], &body.to_string())
}

/// A machine's or an application's identity: seconds are texts.
fn identity(stream: &TcpStream, is_meant: bool, world: &Mutex<World>) -> std::io::Result<()> {
    if !is_meant {
        let body = json!({"error": "invalid_request", "error_description": "Required metadata header not specified"});
        return reply(stream, 400, &[], &body.to_string());
    }
    let (number, lasts) = issue(world);
    let body = json!({
        "access_token": format!("token-{number}"), "expires_in": lasts.to_string(), "token_type": "Bearer",
        "resource": "x", "client_id": "11111111-2222-3333-4444-555555555555",
    });
    reply(stream, 200, &[], &body.to_string())
}

fn issue(world: &Mutex<World>) -> (u64, u64) {
    let mut world = lock(world);
    world.tokens += 1;
    world.taken_back = false;
    (world.tokens, world.lasts)
}

fn fail(mut stream: &TcpStream, asked: &Asked, fault: Fault, address: &str) -> std::io::Result<()> {
    const ITEM: &str = r#"{"id":"/subscriptions/x","name":"y","properties":{"z":"0123456789"}},"#;
    match fault {
        Fault::Status(status, code) => refuse(stream, status, code, "no"),
        Fault::Wait(status, seconds) => {
            let header = format!("Retry-After: {seconds}");
            reply(stream, status, &[&header], "{}")
        }
        Fault::Bytes(bytes) => reply(stream, 200, &[], bytes),
        Fault::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"value\":[")?;
            loop {
                stream.write_all(ITEM.as_bytes())?;
            }
        }
        Fault::Silent => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")?;
            // Until the client goes away.
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            let _gone = stream.read(&mut [0])?;
            Err(std::io::Error::other("silent"))
        }
        Fault::Next(address) => {
            let body = json!({"value": [], "nextLink": address});
            reply(stream, 200, &[], &body.to_string())
        }
        Fault::Pages => {
            let at = value_of(&asked.query, "$skiptoken");
            let at: u64 = at.and_then(|it| it.parse().ok()).unwrap_or(0);
            let link = format!("http://{address}{}?$skiptoken={}", asked.path, at + 1);
            let body = json!({"value": [], "nextLink": link});
            reply(stream, 200, &[], &body.to_string())
        }
        Fault::Elsewhere(address) => reply(stream, 307, &[&format!("Location: {address}")], ""),
    }
}

fn refuse(stream: &TcpStream, status: u16, code: &str, message: &str) -> std::io::Result<()> {
    let body = json!({"error": {"code": code, "message": message}});
    reply(stream, status, &[], &body.to_string())
}

fn reply(mut stream: &TcpStream, status: u16, headers: &[&str], body: &str) -> std::io::Result<()> {
    let mut text = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    stream.write_all(text.as_bytes())
}
