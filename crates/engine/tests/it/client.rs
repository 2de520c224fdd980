//! Asking engines over real sockets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use seareeve_engine::{AskError, Client, Endpoint, Limits};
use serde_json::{Value, json};

/// An engine that answers `per_connection` requests of a connection, then closes it without a word.
fn engine(
    per_connection: usize,
    answer: &'static str,
) -> (tempfile::TempDir, Endpoint, Arc<AtomicUsize>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let mut lines = BufReader::new(stream.try_clone().unwrap())
                .lines()
                .map_while(Result::ok);
            for _ in 0..per_connection {
                if lines.by_ref().take_while(|line| !line.is_empty()).count() == 0 {
                    break;
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    let endpoint = path.to_str().unwrap().parse().unwrap();
    (folder, endpoint, connections)
}

fn client(endpoint: &Endpoint) -> Client {
    let limits = Limits {
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(5),
        reply: Duration::from_secs(5),
        deadline: Instant::now() + Duration::from_secs(60),
        bytes: 20,
    };
    Client::new(endpoint, "test", 1, limits)
}

const ONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}";

#[test]
fn a_connection_is_used_again_and_a_closed_one_is_not() {
    let (_folder, endpoint, connections) = engine(3, ONE);
    let client = client(&endpoint);
    for asked in 1..=7 {
        let answer: Value = client.json("/x").unwrap();
        assert_eq!(answer, json!({"a": 1}));
        let expected = usize::div_ceil(asked, 3);
        assert_eq!(connections.load(Ordering::SeqCst), expected, "{asked}");
    }
}

#[test]
fn a_document_of_another_form_is_not_quoted() {
    let (_folder, endpoint, _) =
        engine(1, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\"s3cr3t\"");
    let error = client(&endpoint).json::<Vec<Value>>("/x").unwrap_err();
    let said = error.to_string();
    assert!(said.contains("another form at line 1 column 8"), "{said}");
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn answers_that_are_none_say_what_is_wrong() {
    let said = |answer: &'static str| {
        let (_folder, endpoint, _) = engine(1, answer);
        let error = client(&endpoint).json::<Value>("/x").unwrap_err();
        (
            error.status(),
            error.is_denied(),
            error.to_string().replace(&endpoint.to_string(), "E"),
        )
    };
    for (answer, status, denied, expected) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n[1,2,3,4,5,6,7,8,9,0]",
            None,
            false,
            "the answer of the engine at E to /x is larger than 20 bytes",
        ),
        (
            "HTTP/1.1 403 x\r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}",
            Some(403),
            true,
            "the engine at E answered /x with status 403: no",
        ),
        (
            "HTTP/1.1 500 x\r\nContent-Length: 5\r\n\r\na\u{7}b\r\n",
            Some(500),
            false,
            "the engine at E answered /x with status 500: a b",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
            None,
            false,
            "the engine at E gave no answer to /x that is one: EOF while parsing an object at line 1 column 1",
        ),
        // What is in a document is not told, whatever became of it.
        (
            "HTTP/1.1 210 x\r\nContent-Length: 9\r\n\r\n{\"x\":\"y\"}",
            Some(210),
            false,
            "the engine at E answered /x with status 210: ",
        ),
        // A redirect is no answer: what it leads to is not the engine.
        (
            "HTTP/1.1 302 x\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n",
            Some(302),
            false,
            "the engine at E answered /x with status 302: ",
        ),
    ] {
        assert_eq!(said(answer), (status, denied, expected.to_owned()));
    }
}

#[test]
fn after_the_deadline_nothing_is_asked() {
    let (_folder, endpoint, connections) = engine(1, ONE);
    let limits = Limits {
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(5),
        reply: Duration::from_secs(5),
        deadline: Instant::now(),
        bytes: 20,
    };
    let error = Client::new(&endpoint, "test", 1, limits)
        .bytes("/x")
        .unwrap_err();
    assert!(matches!(error, AskError::TooSlow { .. }), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[test]
fn a_socket_that_nobody_listens_on_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.sock");
    drop(UnixListener::bind(&path).unwrap());
    let error = client(&path.to_str().unwrap().parse().unwrap())
        .bytes("/x")
        .unwrap_err();
    assert!(error.is_unreachable() && !error.is_denied(), "{error}");
}
