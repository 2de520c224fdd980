//! The distribution protocol against a small server that plays all parts.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seareeve_image::{Contents, Options, ReadError, Source};
use seareeve_model::ProblemCode;

use crate::support::Entry::File;
use crate::support::{Oci, codes, gzip, listing, oci, read_all, tar, zstd};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// One request as the server saw it.
#[derive(Clone, Debug)]
struct Request {
    target: String,
    host: String,
    authorization: Option<String>,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Claimed length of the body, when it is a lie.
    length: Option<usize>,
}

fn reply(status: u16, body: &[u8]) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.to_vec(),
        length: None,
    }
}

impl Reply {
    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server on a free port of loopback. It lives as long as the test process.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                std::thread::spawn(move || answer(stream, handler.as_ref(), &log));
            }
        });
        Self { port, seen }
    }

    fn read(&self) -> Result<Contents, ReadError> {
        self.read_named("team/app:1")
    }

    fn read_named(&self, name: &str) -> Result<Contents, ReadError> {
        let reference = format!("127.0.0.1:{}/{name}", self.port).parse().unwrap();
        let options = Options {
            retries: 2,
            retry_pause: Duration::ZERO,
            read_timeout: Duration::from_secs(5),
            ..Options::default()
        };
        read_all(&Source::Registry(reference), &options)
    }

    fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers one request and closes, which keeps the server simple.
fn answer(stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Request>>) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let mut headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let request = Request {
        target: first.split(' ').nth(1).unwrap_or_default().to_owned(),
        host: headers.remove("host").unwrap_or_default(),
        authorization: headers.remove("authorization"),
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
    // The client may be gone already; that is for the test to judge.
    let _ = (&stream).write_all(head.as_bytes());
    let _ = (&stream).write_all(b"\r\n");
    let _ = (&stream).write_all(&reply.body);
}

fn image() -> Oci {
    let layers = [tar(&[File("a", b"1")]), tar(&[File("b", b"2")])];
    oci(&[
        (layers[0].clone(), gzip(&layers[0])),
        (layers[1].clone(), zstd(&layers[1])),
    ])
}

/// What an honest registry answers.
fn serve(image: &Oci, request: &Request) -> Reply {
    let manifest = image.manifest.to_string();
    match request.target.strip_prefix("/v2/team/app/") {
        Some("manifests/1") => reply(200, manifest.as_bytes()).header("Content-Type", OCI_MANIFEST),
        Some(path) => {
            let hex = path.rsplit(':').next().unwrap_or_default();
            match image.blobs.iter().find(|(name, _)| name == hex) {
                Some((_, bytes)) => reply(200, bytes),
                None => reply(404, b"{}"),
            }
        }
        None => reply(404, b"{}"),
    }
}

#[test]
fn reads_by_tag_and_by_digest() {
    let server = Server::start(|request| serve(&image(), request));
    let by_tag = server.read().unwrap();
    assert_eq!(by_tag.problems, []);
    assert_eq!(listing(&by_tag.tree), ["a@0=1", "b@1=2"]);
    assert_eq!(by_tag.image.digest.hex(), image().manifest_hex);
    assert_eq!(
        by_tag.image.references,
        [format!("127.0.0.1:{}/team/app:1", server.port)]
    );
    let name = format!("team/app@sha256:{}", image().manifest_hex);
    let by_digest = server.read_named(&name).unwrap();
    assert_eq!(by_digest.tree, by_tag.tree);
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.authorization.is_none())
    );
}

#[test]
fn fetches_a_token_once_and_shows_it_to_the_registry_only() {
    let storage = Server::start(|request| {
        let hex = request.target.rsplit('/').next().unwrap_or_default();
        let image = image();
        let blob = image.blobs.iter().find(|(name, _)| name == hex);
        blob.map_or_else(|| reply(404, b""), |(_, bytes)| reply(200, bytes))
    });
    let storage_port = storage.port;
    let server = Server::start(move |request| {
        if request.target.starts_with("/token?") {
            return reply(200, br#"{"token":"secret.1"}"#);
        }
        if request.authorization.as_deref() != Some("Bearer secret.1") {
            let realm = format!("http://{}/token", request.host);
            let challenge = format!(
                r#"Bearer realm="{realm}",service="fake",scope="repository:team/app:pull""#
            );
            return reply(401, b"{}").header("WWW-Authenticate", challenge);
        }
        match request.target.rsplit_once("sha256:") {
            Some((_, hex)) if request.target.contains("/blobs/") => {
                let location = format!("http://127.0.0.1:{storage_port}/data/{hex}");
                reply(307, b"").header("Location", location)
            }
            _ => serve(&image(), request),
        }
    });
    let contents = server.read().unwrap();
    assert_eq!(listing(&contents.tree), ["a@0=1", "b@1=2"]);
    let seen = server.seen();
    let tokens: Vec<&str> = seen
        .iter()
        .map(|request| request.target.as_str())
        .filter(|target| target.starts_with("/token"))
        .collect();
    assert_eq!(
        tokens,
        ["/token?service=fake&scope=repository:team/app:pull"]
    );
    // Three blobs came from storage, which never saw the token.
    assert_eq!(storage.seen().len(), 3);
    assert!(
        storage
            .seen()
            .iter()
            .all(|request| request.authorization.is_none())
    );
}

#[test]
fn passing_failures_are_tried_again() {
    // By address, because layers are asked for at the same time.
    let turns = Mutex::new(BTreeMap::<String, u32>::new());
    let server = Server::start(move |request| {
        let mut turns = turns.lock().unwrap();
        let turn = turns.entry(request.target.clone()).or_default();
        *turn += 1;
        match *turn - 1 {
            0 => reply(503, b""),
            1 => reply(429, b"").header("Retry-After", "0"),
            _ => serve(&image(), request),
        }
    });
    assert_eq!(listing(&server.read().unwrap().tree), ["a@0=1", "b@1=2"]);
    assert_eq!(server.seen().len(), 12);
}

#[test]
fn refusals_say_what_they_are() {
    type Headers = &'static [(&'static str, &'static str)];
    type Case = (u16, Headers, usize, fn(&ReadError) -> bool);
    let cases: [Case; 6] = [
        (404, &[], 1, |error| matches!(error, ReadError::NotFound(_))),
        (
            401,
            &[("WWW-Authenticate", "Basic realm=\"x\"")],
            1,
            |error| matches!(error, ReadError::Unauthorized { .. }),
        ),
        (403, &[], 1, |error| {
            matches!(error, ReadError::Unauthorized { .. })
        }),
        (500, &[], 3, |error| {
            matches!(error, ReadError::Status { status: 500, .. })
        }),
        (418, &[], 1, |error| {
            matches!(error, ReadError::Status { status: 418, .. })
        }),
        // Away from loopback there is no plain http.
        (302, &[("Location", "http://192.0.2.1/")], 3, |error| {
            matches!(error, ReadError::Network { .. })
        }),
    ];
    for (status, headers, requests, check) in cases {
        let headers: Vec<(&'static str, String)> = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let server = Server::start(move |_| Reply {
            headers: headers.clone(),
            ..reply(status, b"")
        });
        let error = server.read().unwrap_err();
        assert!(check(&error), "{status}: {error:?}");
        assert_eq!(server.seen().len(), requests, "{status}");
    }
}

#[test]
fn redirects_end() {
    let server = Server::start(|_| reply(302, b"").header("Location", "/again"));
    assert!(matches!(server.read(), Err(ReadError::Network { .. })));
}

#[test]
fn schema_1_is_said_to_be_unsupported() {
    let server = Server::start(|_| {
        reply(200, br#"{"schemaVersion":1}"#).header(
            "Content-Type",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
        )
    });
    assert!(matches!(server.read(), Err(ReadError::Unsupported { .. })));
}

#[test]
fn wrong_digests_from_the_network_end_everything() {
    // Manifest by the registry's own header, configuration, layer.
    let manifest = Server::start(|request| {
        serve(&image(), request).header(
            "Docker-Content-Digest",
            format!("sha256:{}", "0".repeat(64)),
        )
    });
    let flip = |which: &'static [u8]| {
        Server::start(move |request| {
            let mut reply = serve(&image(), request);
            if request.target.contains("/blobs/") && reply.body.starts_with(which) {
                let end = reply.body.len() - 1;
                reply.body[end] ^= 1;
            }
            reply
        })
    };
    for (server, what) in [
        (manifest, "manifest"),
        (flip(b"{"), "configuration"),
        (flip(b"\x1f\x8b"), "layer"),
        (flip(b"\x28\xb5"), "layer"),
    ] {
        match server.read() {
            Err(ReadError::DigestMismatch { what: said, .. }) => assert_eq!(said, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_layer_longer_than_the_manifest_says_is_a_wrong_digest() {
    let server = Server::start(|request| {
        let mut reply = serve(&image(), request);
        if reply.body.starts_with(b"\x1f\x8b") {
            reply.body.extend([0; 100_000]);
        }
        reply
    });
    assert!(matches!(
        server.read(),
        Err(ReadError::DigestMismatch { .. })
    ));
}

#[test]
fn a_connection_that_breaks_is_no_broken_layer() {
    let server = Server::start(|request| {
        let mut reply = serve(&image(), request);
        if reply.body.starts_with(b"\x1f\x8b") {
            reply.length = Some(reply.body.len());
            reply.body.truncate(20);
        }
        reply
    });
    assert!(matches!(server.read(), Err(ReadError::Network { .. })));
}

#[test]
fn a_layer_that_the_registry_lost_does_not_cost_the_others() {
    let server = Server::start(|request| {
        let answer = serve(&image(), request);
        if answer.body.starts_with(b"\x1f\x8b") {
            reply(404, b"{}")
        } else {
            answer
        }
    });
    let contents = server.read().unwrap();
    assert_eq!(listing(&contents.tree), ["b@1=2"]);
    assert_eq!(codes(&contents.problems), [ProblemCode::LayerUnreadable]);
}

#[test]
fn nobody_listening_is_a_network_error() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let options = Options {
        retries: 1,
        retry_pause: Duration::ZERO,
        ..Options::default()
    };
    let reference = format!("127.0.0.1:{port}/a").parse().unwrap();
    let error = read_all(&Source::Registry(reference), &options).unwrap_err();
    assert!(matches!(error, ReadError::Network { .. }), "{error}");
}
