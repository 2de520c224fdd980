//! The OSV feed against a local server that speaks the layout, validators and failures of the real one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use seareeve_collect::feeds::osv::{FetchError, fetch};

/// What the server has: path to (validator, body, declared length).
type Files = Arc<Mutex<BTreeMap<String, (String, Vec<u8>, usize)>>>;

/// The smallest thing that begins and ends as a zip archive, told apart by `word`.
fn zip(word: &str) -> Vec<u8> {
    [b"PK\x03\x04", word.as_bytes(), b"PK\x05\x06", &[0; 18]].concat()
}

fn serve(files: Files) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&log);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let path = lines
                .next()
                .unwrap()
                .unwrap()
                .split(' ')
                .nth(1)
                .unwrap()
                .to_owned();
            let headers: Vec<String> = lines
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty())
                .collect();
            let asked = headers
                .iter()
                .find_map(|line| line.strip_prefix("if-none-match: ").map(str::to_owned));
            let files = files.lock().unwrap();
            let answer = match files.get(&path) {
                None => (404, String::new(), Vec::new(), 0),
                Some((etag, ..)) if asked.as_ref() == Some(etag) => {
                    (304, etag.clone(), Vec::new(), 0)
                }
                Some((etag, body, length)) => (200, etag.clone(), body.clone(), *length),
            };
            seen.lock().unwrap().push(format!("{path} {}", answer.0));
            let (status, etag, body, length) = answer;
            let head = format!(
                "HTTP/1.1 {status} X\r\netag: {etag}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    (address, log)
}

#[test]
fn fetches_once_and_again_only_what_changed() {
    let files = Files::default();
    let put = |path: &str, etag: &str, body: &[u8]| {
        files.lock().unwrap().insert(
            path.to_owned(),
            (etag.to_owned(), body.to_vec(), body.len()),
        );
    };
    put("/Debian/all.zip", "\"1\"", &zip("debian one"));
    put("/Photon%20OS/all.zip", "\"1\"", &zip("photon"));
    let (address, log) = serve(Arc::clone(&files));
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let ecosystems = ["Debian", "Photon OS"];

    let mut told = Vec::new();
    let first = fetch(&address, &ecosystems, folder, &mut |progress| {
        told.push((
            progress.ecosystem.to_owned(),
            progress.number,
            progress.of,
            progress.bytes,
            progress.total,
        ));
        true
    });
    assert_eq!(first.unwrap().updated, ecosystems);
    assert_eq!(
        told,
        [
            ("Debian".to_owned(), 1, 2, 36, Some(36)),
            ("Photon OS".to_owned(), 2, 2, 32, Some(32))
        ]
    );
    assert_eq!(
        std::fs::read(folder.join("Photon OS/all.zip")).unwrap(),
        zip("photon")
    );

    put("/Debian/all.zip", "\"2\"", &zip("debian two"));
    let second = fetch(&address, &ecosystems, folder, &mut |_| true).unwrap();
    assert_eq!(
        (second.updated, second.unchanged),
        (vec!["Debian".to_owned()], vec!["Photon OS".to_owned()])
    );
    assert_eq!(
        std::fs::read(folder.join("Debian/all.zip")).unwrap(),
        zip("debian two")
    );
    assert_eq!(
        *log.lock().unwrap(),
        [
            "/Debian/all.zip 200",
            "/Photon%20OS/all.zip 200",
            "/Debian/all.zip 200",
            "/Photon%20OS/all.zip 304"
        ]
    );
}

#[test]
fn a_missing_or_cut_archive_is_said_and_the_old_one_stays() {
    let files = Files::default();
    files.lock().unwrap().insert(
        "/Debian/all.zip".to_owned(),
        ("\"1\"".to_owned(), zip("whole"), 31),
    );
    let (address, _log) = serve(Arc::clone(&files));
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();

    let fetched = fetch(&address, &["Debian", "PyPI"], folder, &mut |_| true).unwrap();
    assert_eq!(fetched.updated, ["Debian"]);
    let missing =
        format!("PyPI: failed to fetch the advisories: {address}/PyPI/all.zip answered 404");
    assert_eq!(
        fetched
            .problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [missing]
    );

    files.lock().unwrap().insert(
        "/Debian/all.zip".to_owned(),
        ("\"2\"".to_owned(), zip("cut"), 500),
    );
    let fetched = fetch(&address, &["Debian"], folder, &mut |_| true).unwrap();
    assert_eq!(fetched.problems.len(), 1);
    assert!(
        fetched.problems[0]
            .message
            .ends_with("; the archive from before stays in use")
    );
    assert_eq!(
        std::fs::read(folder.join("Debian/all.zip")).unwrap(),
        zip("whole")
    );
}

#[test]
fn nothing_at_all_is_an_error_and_a_stop_is_obeyed() {
    let files = Files::default();
    let (address, _log) = serve(Arc::clone(&files));
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let error = fetch(&address, &["Debian"], folder, &mut |_| true).unwrap_err();
    assert!(matches!(error, FetchError::Nothing { .. }));
    files.lock().unwrap().insert(
        "/Debian/all.zip".to_owned(),
        ("\"1\"".to_owned(), zip("whole"), 31),
    );
    assert!(matches!(
        fetch(&address, &["Debian"], folder, &mut |_| false),
        Err(FetchError::Stopped)
    ));
    assert!(!folder.join("Debian/all.zip").exists());
}

#[test]
fn a_page_instead_of_an_archive_replaces_nothing() {
    let files = Files::default();
    let put = |etag: &str, body: &[u8]| {
        let file = (etag.to_owned(), body.to_vec(), body.len());
        files
            .lock()
            .unwrap()
            .insert("/Debian/all.zip".to_owned(), file);
    };
    let (address, _log) = serve(Arc::clone(&files));
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    put("\"1\"", &zip("whole"));
    fetch(&address, &["Debian"], folder, &mut |_| true).unwrap();
    put("\"2\"", b"<html>sign in to the network</html>");
    for _ in 0..2 {
        let fetched = fetch(&address, &["Debian"], folder, &mut |_| true).unwrap();
        assert!(fetched.updated.is_empty() && fetched.unchanged.is_empty());
        assert!(
            fetched.problems[0]
                .message
                .contains("something that is no zip archive")
        );
        assert_eq!(
            std::fs::read(folder.join("Debian/all.zip")).unwrap(),
            zip("whole")
        );
    }
}
