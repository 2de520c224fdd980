//! The distribution protocol against a small server that plays all parts.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seareeve_image::{Contents, LeastRate, Options, ReadError, Source, read};
use seareeve_model::{ImagePath, ProblemCode};

use crate::fake::{Reply, Request, Server, reply};
use crate::support::Entry::File;
use crate::support::{Oci, codes, gzip, listing, oci, read_all, sha256, tar, zstd};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Server {
    fn read(&self) -> Result<Contents, ReadError> {
        self.read_named("team/app:1", quick())
    }

    pub(crate) fn read_named(&self, name: &str, options: Options) -> Result<Contents, ReadError> {
        let reference = format!("127.0.0.1:{}/{name}", self.port).parse().unwrap();
        read_all(&Source::Registry(reference), &options)
    }
}

/// Options for servers that answer at once.
pub(crate) fn quick() -> Options {
    Options {
        retries: 2,
        retry_pause: Duration::ZERO,
        read_timeout: Duration::from_secs(5),
        ..Options::default()
    }
}

pub(crate) fn image() -> Oci {
    let layers = [tar(&[File("a", b"1")]), tar(&[File("b", b"2")])];
    oci(&[
        (layers[0].clone(), gzip(&layers[0])),
        (layers[1].clone(), zstd(&layers[1])),
    ])
}

/// What an honest registry answers.
pub(crate) fn serve(image: &Oci, request: &Request) -> Reply {
    let manifest = image.manifest.to_string();
    match request.target.strip_prefix("/v2/team/app/") {
        Some("manifests/1") => reply(200, manifest.as_bytes()).header("Content-Type", OCI_MANIFEST),
        Some(path) if path.contains("s/sha256:") && !path.starts_with("referrers/") => {
            let hex = path.rsplit(':').next().unwrap_or_default();
            match image.blobs.iter().find(|(name, _)| name == hex) {
                Some((_, bytes)) => reply(200, bytes),
                None => reply(404, b"{}"),
            }
        }
        Some(_) | None => reply(404, b"{}"),
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
    let by_digest = server.read_named(&name, quick()).unwrap();
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

/// Cuts the first layer after `at` bytes, as often as `times`.
fn cutting(at: usize, times: u32, ranges: bool) -> Server {
    let cuts = AtomicU32::new(0);
    Server::start(move |request| {
        let mut answer = serve(&image(), request);
        if !answer.body.starts_with(b"\x1f\x8b") {
            return answer;
        }
        let range = request.range.as_ref().filter(|_| ranges);
        if let Some(range) = range {
            let start = range.strip_prefix("bytes=").unwrap();
            let start: usize = start.strip_suffix('-').unwrap().parse().unwrap();
            let whole = answer.body.len();
            answer = reply(206, &answer.body[start..]).header(
                "Content-Range",
                format!("bytes {start}-{}/{whole}", whole - 1),
            );
        }
        if cuts.fetch_add(1, Ordering::Relaxed) < times {
            answer.length = Some(answer.body.len());
            answer.body.truncate(at);
        }
        answer
    })
}

#[test]
fn a_blob_goes_on_where_its_connection_broke() {
    let server = cutting(20, 2, true);
    let contents = server.read().unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(listing(&contents.tree), ["a@0=1", "b@1=2"]);
    let ranges: Vec<String> = server.seen().into_iter().filter_map(|r| r.range).collect();
    assert_eq!(ranges, ["bytes=20-", "bytes=40-"]);

    // A server that knows no ranges sends the beginning again.
    let server = cutting(20, 2, false);
    let contents = server.read().unwrap();
    assert_eq!(listing(&contents.tree), ["a@0=1", "b@1=2"]);

    // What always breaks is given up, however little it brings each time.
    let server = cutting(1, u32::MAX, true);
    assert!(matches!(server.read(), Err(ReadError::Network { .. })));
    let packed = sha256(&gzip(&tar(&[File("a", b"1")])));
    let asked = server.targets().into_iter();
    // Once, and two repetitions.
    assert_eq!(asked.filter(|target| target.ends_with(&packed)).count(), 3);
}

#[test]
fn a_resumed_blob_must_still_have_the_digest() {
    let server = Server::start(|request| {
        let mut answer = serve(&image(), request);
        if answer.body.starts_with(b"\x1f\x8b") {
            if request.range.is_some() {
                let rest = vec![0; answer.body.len() - 20];
                return reply(206, &rest).header("Content-Range", "bytes 20-99/100");
            }
            answer.length = Some(answer.body.len());
            answer.body.truncate(20);
        }
        answer
    });
    assert!(matches!(
        server.read(),
        Err(ReadError::DigestMismatch { .. })
    ));
    // A part that was not asked for is no answer.
    let server = Server::start(|request| {
        let mut answer = serve(&image(), request);
        if answer.body.starts_with(b"\x1f\x8b") {
            if request.range.is_some() {
                return reply(206, b"").header("Content-Range", "bytes 7-99/100");
            }
            answer.length = Some(answer.body.len());
            answer.body.truncate(20);
        }
        answer
    });
    assert!(matches!(
        server.read(),
        Err(ReadError::Status { status: 206, .. })
    ));
}

#[test]
fn a_registry_that_asks_for_more_patience_than_there_is_is_left_alone() {
    let server = Server::start(|_| reply(429, b"").header("Retry-After", "3600"));
    let error = server.read().unwrap_err();
    assert_eq!(
        error.to_string(),
        "127.0.0.1 answered with status 429 to the request for manifest, and asks to wait 3600 seconds"
    );
    assert_eq!(server.seen().len(), 1);
}

/// Layers come byte by byte.
fn trickling() -> Server {
    Server::start(|request| {
        let mut answer = serve(&image(), request);
        if is_layer(&answer.body) {
            answer.trickle = Duration::from_millis(1);
        }
        answer
    })
}

#[test]
fn a_registry_that_trickles_is_given_up() {
    let read = |bytes| {
        let server = trickling();
        let options = Options {
            retries: 0,
            least_rate: LeastRate {
                bytes,
                within: Duration::from_millis(20),
            },
            ..quick()
        };
        server.read_named("team/app:1", options)
    };
    let error = read(1 << 20).unwrap_err();
    let ReadError::Network { source, .. } = error else {
        panic!("{error}")
    };
    let why = source.to_string();
    assert!(
        why.starts_with("it sent ")
            && why.ends_with(" seconds, less than the 1048576 that are waited for"),
        "{why}"
    );
    // One byte in all that time is enough here.
    let contents = read(1).unwrap();
    assert_eq!(listing(&contents.tree), ["a@0=1", "b@1=2"]);
}

fn is_layer(body: &[u8]) -> bool {
    body.starts_with(b"\x1f\x8b") || body.starts_with(b"\x28\xb5")
}

#[test]
fn a_layer_that_fails_ends_what_the_others_wait_for() {
    let options = || Options {
        threads: NonZeroUsize::new(2).unwrap(),
        // Both would outlast the test's own patience.
        retry_pause: Duration::from_secs(3600),
        read_timeout: Duration::from_secs(3600),
        ..Options::default()
    };
    // One layer is another's, and the other one never comes, or only after an hour's pause.
    let silent = Server::start(|request| {
        let mut answer = serve(&image(), request);
        if answer.body.starts_with(b"\x28\xb5") {
            loop {
                std::thread::park();
            }
        }
        if answer.body.starts_with(b"\x1f\x8b") {
            *answer.body.last_mut().unwrap() ^= 1;
        }
        answer
    });
    let busy = Server::start(|request| {
        let mut answer = serve(&image(), request);
        if answer.body.starts_with(b"\x28\xb5") {
            return reply(503, b"");
        }
        if answer.body.starts_with(b"\x1f\x8b") {
            *answer.body.last_mut().unwrap() ^= 1;
        }
        answer
    });
    for server in [silent, busy] {
        let error = server.read_named("team/app:1", options()).unwrap_err();
        assert!(matches!(error, ReadError::DigestMismatch { .. }), "{error}");
    }
}

#[test]
fn stopping_ends_pauses_and_silences() {
    // Both would outlast the test's own patience.
    let options = Options {
        retry_pause: Duration::from_secs(3600),
        read_timeout: Duration::from_secs(3600),
        ..Options::default()
    };
    let silence = || -> Reply {
        loop {
            std::thread::park();
        }
    };
    // A layer is asked for after manifest and configuration.
    let cases = [
        (1, Server::start(|_| reply(503, b""))),
        (1, Server::start(move |_| silence())),
        (
            3,
            Server::start(move |request| {
                let answer = serve(&image(), request);
                if is_layer(&answer.body) {
                    return silence();
                }
                answer
            }),
        ),
        (
            3,
            Server::start(move |request| {
                let mut answer = serve(&image(), request);
                if is_layer(&answer.body) {
                    answer.length = Some(answer.body.len());
                    answer.body.truncate(20);
                }
                answer
            }),
        ),
    ];
    for (requests, server) in cases {
        let name = format!("127.0.0.1:{}/team/app:1", server.port);
        let progress = |_| match server.seen().len() >= requests {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let source = Source::Registry(name.parse().unwrap());
        let read = read(&source, &options, &|_: &ImagePath| true, &progress);
        assert!(matches!(read, Err(ReadError::Cancelled)), "{read:?}");
    }
}

#[test]
fn a_layer_that_nobody_hands_out_is_said_to_be_one() {
    let server = Server::start(|request| {
        let mut image = image();
        image.manifest["layers"][0]["mediaType"] =
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
        image.manifest["layers"][0]["urls"] = serde_json::json!(["http://127.0.0.1:1/layer"]);
        let answer = serve(&image, request);
        if answer.body.starts_with(b"\x1f\x8b") {
            return reply(404, b"{}");
        }
        answer
    });
    let contents = server.read().unwrap();
    assert_eq!(listing(&contents.tree), ["b@1=2"]);
    assert_eq!(
        contents.problems[0].message,
        "the layer was not read: the registry does not have it: it is a foreign layer, which only its maker hands out"
    );
}

#[test]
fn what_is_kept_beside_images_is_no_image() {
    let server = Server::start(|request| {
        let mut image = image();
        image.manifest["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json".into();
        serve(&image, request)
    });
    assert_eq!(
        server.read().unwrap_err().to_string(),
        "the image has the unsupported format application/vnd.cncf.helm.config.v1+json"
    );
}

#[test]
fn a_registry_that_says_no_is_not_asked_again_for_the_rest() {
    let blob = sha256(&gzip(&tar(&[File("a", b"1")])));
    let server = Server::start(move |request| {
        if !request.target.ends_with(&blob) {
            return serve(&image(), request);
        }
        if request.range.is_some() {
            return reply(410, b"");
        }
        let mut whole = serve(&image(), request);
        whole.length = Some(whole.body.len());
        whole.body.truncate(20);
        whole
    });
    let error = server.read().unwrap_err();
    assert!(
        matches!(error, ReadError::Status { status: 410, .. }),
        "{error:?}"
    );
    let asked = server
        .seen()
        .into_iter()
        .filter(|request| request.range.is_some());
    assert_eq!(asked.count(), 1);
}
