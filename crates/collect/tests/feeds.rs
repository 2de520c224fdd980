//! The feeds against a local server that speaks the layout, validators, ranges and failures of the real ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use seareeve_collect::feeds::{
    Addresses, Downloader, FetchError, Fetched, NetworkError, Progress, fetch, files,
};

/// A file of the server.
#[derive(Clone, Default)]
struct Served {
    etag: String,
    body: Vec<u8>,
    /// Says a greater length than there is.
    missing: usize,
    /// Breaks each of the next connections after so many bytes of its answer.
    cuts: Vec<usize>,
    /// Knows no ranges, as many caches do.
    whole_only: bool,
}

type Shelf = Arc<Mutex<BTreeMap<String, Served>>>;

/// The smallest thing that begins and ends as a zip archive, told apart by `word`.
fn zip(word: &str) -> Vec<u8> {
    [b"PK\x03\x04", word.as_bytes(), b"PK\x05\x06", &[0; 18]].concat()
}

struct Server {
    address: String,
    shelf: Shelf,
    /// Path, what was asked of it, status.
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (shelf, log) = (Shelf::default(), Arc::new(Mutex::new(Vec::new())));
        let (files, seen) = (Arc::clone(&shelf), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let line = lines.next().unwrap().unwrap();
                let path = line.split(' ').nth(1).unwrap().to_owned();
                let headers: Vec<String> = lines
                    .map(Result::unwrap)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let asked = |name: &str| {
                    let mut lines = headers.iter();
                    lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
                };
                let (head, body) = answer(&files, &path, &asked);
                let range = asked("range: ").map_or(String::new(), |range| format!(" {range}"));
                let status = head.split(' ').nth(1).unwrap();
                seen.lock().unwrap().push(format!("{path}{range} {status}"));
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&body).unwrap();
            }
        });
        Self {
            address,
            shelf,
            log,
        }
    }

    fn put(&self, path: &str, etag: &str, body: &[u8]) {
        self.serve(
            path,
            Served {
                etag: etag.to_owned(),
                body: body.to_vec(),
                ..Served::default()
            },
        );
    }

    fn serve(&self, path: &str, served: Served) {
        self.shelf.lock().unwrap().insert(path.to_owned(), served);
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn fetch(&self, ecosystems: &[&str], folder: &Utf8Path) -> Result<Fetched, FetchError> {
        self.fetch_telling(ecosystems, folder, &mut |_| true)
    }

    fn fetch_telling(
        &self,
        ecosystems: &[&str],
        folder: &Utf8Path,
        tell: &mut dyn FnMut(Progress<'_>) -> bool,
    ) -> Result<Fetched, FetchError> {
        let downloader = Downloader::new(None).unwrap();
        fetch(&downloader, &self.addresses(ecosystems), folder, tell)
    }

    fn addresses<'a>(&'a self, ecosystems: &'a [&'a str]) -> Addresses<'a> {
        Addresses {
            osv: &self.address,
            ecosystems,
            known_exploited: None,
            epss: None,
        }
    }
}

fn answer(files: &Shelf, path: &str, asked: &dyn Fn(&str) -> Option<String>) -> (String, Vec<u8>) {
    let mut files = files.lock().unwrap();
    let Some(file) = files.get_mut(path) else {
        return (
            "HTTP/1.1 404 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
            Vec::new(),
        );
    };
    let etag = file.etag.clone();
    let head = |status: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\netag: {etag}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    if asked("if-none-match: ").as_ref() == Some(&file.etag) {
        return (head("304 X", 0), Vec::new());
    }
    let start = asked("range: ")
        .filter(|_| !file.whole_only && asked("if-range: ").as_ref() == Some(&file.etag));
    let start = start.map(|range| {
        let start = range
            .strip_prefix("bytes=")
            .unwrap()
            .strip_suffix('-')
            .unwrap();
        start.parse::<usize>().unwrap()
    });
    let size = file.body.len();
    let status = match start {
        Some(start) if start >= size => return (head("416 X", 0), Vec::new()),
        Some(start) => format!("206 X\r\ncontent-range: bytes {start}-{}/{size}", size - 1),
        None => "200 X".to_owned(),
    };
    let mut body = file.body.split_off(start.unwrap_or(0));
    let kept = file.body.clone();
    file.body = [kept, body.clone()].concat();
    let head = head(&status, body.len() + file.missing);
    if !file.cuts.is_empty() {
        body.truncate(file.cuts.remove(0));
    }
    (head, body)
}

fn temporary() -> (tempfile::TempDir, camino::Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    (folder, path)
}

fn names(folder: &Utf8Path) -> Vec<String> {
    let mut names: Vec<String> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn fetches_once_and_again_only_what_changed() {
    let server = Server::start();
    server.put("/Debian/all.zip", "\"1\"", &zip("debian one"));
    server.put("/Photon%20OS/all.zip", "\"1\"", &zip("photon"));
    let (_keep, folder) = temporary();
    let ecosystems = ["Debian", "Photon OS"];

    let mut told = Vec::new();
    let first = server.fetch_telling(&ecosystems, &folder, &mut |progress| {
        told.push((
            progress.what.to_owned(),
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
        std::fs::read(folder.join("osv/Photon OS/all.zip")).unwrap(),
        zip("photon")
    );
    assert_eq!(
        names(&folder.join("osv/Debian")),
        ["all.validator", "all.zip"]
    );

    server.put("/Debian/all.zip", "\"2\"", &zip("debian two"));
    let second = server.fetch(&ecosystems, &folder).unwrap();
    assert_eq!(
        (second.updated, second.unchanged),
        (vec!["Debian".to_owned()], vec!["Photon OS".to_owned()])
    );
    assert_eq!(
        std::fs::read(folder.join("osv/Debian/all.zip")).unwrap(),
        zip("debian two")
    );
    assert_eq!(
        server.log(),
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
    let server = Server::start();
    server.put("/Debian/all.zip", "\"1\"", &zip("whole"));
    let (_keep, folder) = temporary();

    let fetched = server.fetch(&["Debian", "PyPI"], &folder).unwrap();
    assert_eq!(fetched.updated, ["Debian"]);
    let problems: Vec<String> = fetched.problems.iter().map(ToString::to_string).collect();
    let address = &server.address;
    assert_eq!(
        problems,
        [format!(
            "PyPI: failed to fetch the advisories: {address}/PyPI/all.zip answered 404"
        )]
    );

    server.serve(
        "/Debian/all.zip",
        Served {
            etag: "W/\"2\"".to_owned(),
            body: zip("cut"),
            missing: 500,
            ..Served::default()
        },
    );
    let fetched = server.fetch(&["Debian"], &folder).unwrap();
    assert_eq!(fetched.problems.len(), 1);
    assert!(
        fetched.problems[0]
            .message
            .ends_with("; the file from before stays in use")
    );
    assert_eq!(
        std::fs::read(folder.join("osv/Debian/all.zip")).unwrap(),
        zip("whole")
    );
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let server = Server::start();
    let body = zip(&"a long archive ".repeat(20));
    let serve = |etag: &str, cuts: &[usize], whole_only| {
        server.serve(
            "/Debian/all.zip",
            Served {
                etag: etag.to_owned(),
                body: body.clone(),
                cuts: cuts.to_vec(),
                whole_only,
                missing: 0,
            },
        );
    };
    let (_keep, folder) = temporary();
    let archive = folder.join("osv/Debian/all.zip");
    let part = folder.join("osv/Debian/all.part");

    // Within one run, as long as bytes come.
    serve("\"1\"", &[100, 50], false);
    let fetched = server.fetch(&["Debian"], &folder).unwrap();
    assert_eq!(fetched.updated, ["Debian"]);
    assert_eq!(std::fs::read(&archive).unwrap(), body);
    assert_eq!(
        server.log(),
        [
            "/Debian/all.zip 200",
            "/Debian/all.zip bytes=100- 206",
            "/Debian/all.zip bytes=150- 206"
        ]
    );

    // From one run to the next: a connection that brings nothing more ends the first.
    serve("\"2\"", &[100, 0], false);
    assert_eq!(
        server.fetch(&["Debian"], &folder).unwrap().problems.len(),
        1
    );
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 100);
    server.log();
    let fetched = server.fetch(&["Debian"], &folder).unwrap();
    assert_eq!(fetched.updated, ["Debian"]);
    assert_eq!(server.log(), ["/Debian/all.zip bytes=100- 206"]);
    assert_eq!(std::fs::read(&archive).unwrap(), body);
    assert_eq!(
        names(&folder.join("osv/Debian")),
        ["all.validator", "all.zip"]
    );

    // The archive changed meanwhile, or the server knows no ranges: all of it comes.
    serve("\"3\"", &[100, 0], false);
    server.fetch(&["Debian"], &folder).unwrap();
    serve("\"4\"", &[], false);
    server.log();
    assert_eq!(
        server.fetch(&["Debian"], &folder).unwrap().updated,
        ["Debian"]
    );
    assert_eq!(server.log(), ["/Debian/all.zip bytes=100- 200"]);
    serve("\"5\"", &[100], true);
    assert_eq!(
        server.fetch(&["Debian"], &folder).unwrap().updated,
        ["Debian"]
    );
    assert_eq!(std::fs::read(&archive).unwrap(), body);

    // The part is as long as the archive, or longer: it is thrown away.
    serve("\"6\"", &[100, 0], false);
    server.fetch(&["Debian"], &folder).unwrap();
    std::fs::write(&part, vec![0; 5_000]).unwrap();
    server.log();
    assert_eq!(
        server.fetch(&["Debian"], &folder).unwrap().updated,
        ["Debian"]
    );
    assert_eq!(
        server.log(),
        ["/Debian/all.zip bytes=5000- 416", "/Debian/all.zip 200"]
    );
    assert_eq!(std::fs::read(&archive).unwrap(), body);
}

#[test]
fn nothing_at_all_is_an_error_and_a_stop_is_obeyed() {
    let server = Server::start();
    let (_keep, folder) = temporary();
    let error = server.fetch(&["Debian"], &folder).unwrap_err();
    assert!(matches!(error, FetchError::Nothing { .. }));
    server.put("/Debian/all.zip", "\"1\"", &zip("whole"));
    let stopped = server.fetch_telling(&["Debian"], &folder, &mut |_| false);
    assert!(matches!(stopped, Err(FetchError::Stopped)));
    assert!(!folder.join("osv/Debian/all.zip").exists());
}

#[test]
fn a_page_instead_of_a_file_replaces_nothing() {
    let server = Server::start();
    let (_keep, folder) = temporary();
    let page: &[u8] = b"<html>sign in to the network</html>";
    let kev: &[u8] = b"{\"vulnerabilities\": []}\n";
    let packed: &[u8] = &[0x1f, 0x8b, 8, 0];
    let (kev_url, epss_url) = (
        format!("{}/kev", server.address),
        format!("{}/epss", server.address),
    );
    let ecosystems = ["Debian"];
    let addresses = Addresses {
        known_exploited: Some(&kev_url),
        epss: Some(&epss_url),
        ..server.addresses(&ecosystems)
    };
    let downloader = Downloader::new(None).unwrap();
    let put = |etag: &str, archive: &[u8], kev: &[u8], epss: &[u8]| {
        server.put("/Debian/all.zip", etag, archive);
        server.put("/kev", etag, kev);
        server.put("/epss", etag, epss);
        fetch(&downloader, &addresses, &folder, &mut |_| true).unwrap()
    };
    let first = put("\"1\"", &zip("whole"), kev, packed);
    assert_eq!(first.updated, ["Debian", "KEV", "EPSS"]);
    let there = files(&addresses, &folder);
    assert_eq!(there.archives, [folder.join("osv/Debian")]);
    for etag in ["\"2\"", "\"3\""] {
        let fetched = put(etag, page, page, page);
        assert!(fetched.updated.is_empty() && fetched.unchanged.is_empty());
        let whys = ["no zip archive", "no JSON object", "no file of EPSS scores"];
        for (problem, why) in fetched.problems.iter().zip(whys) {
            let message =
                format!("answered with something that is {why}; the file from before stays in use");
            assert!(problem.message.ends_with(&message), "{problem}");
        }
        assert_eq!(fetched.problems.len(), 3);
        assert_eq!(files(&addresses, &folder), there);
        assert_eq!(
            std::fs::read(there.known_exploited.as_ref().unwrap()).unwrap(),
            kev
        );
    }
    // A feed that is not wanted any more is not built from, though its file is still there.
    let without = server.addresses(&ecosystems);
    assert_eq!(files(&without, &folder).known_exploited, None);
}

#[test]
fn one_feed_that_is_gone_does_not_stop_the_rest() {
    let server = Server::start();
    server.put("/Debian/all.zip", "\"1\"", &zip("whole"));
    let (_keep, folder) = temporary();
    let gone = format!("{}/gone", server.address);
    let addresses = Addresses {
        known_exploited: Some(&gone),
        epss: Some("http://127.0.0.1:1/epss"),
        ..server.addresses(&["Debian"])
    };
    let downloader = Downloader::new(None).unwrap();
    let fetched = fetch(&downloader, &addresses, &folder, &mut |_| true).unwrap();
    assert_eq!(fetched.updated, ["Debian"]);
    let places: Vec<&str> = fetched
        .problems
        .iter()
        .map(|problem| problem.place.as_str())
        .collect();
    assert_eq!(places, ["KEV", "EPSS"]);
    assert_eq!(
        fetched.problems[0].message,
        format!("failed to fetch the catalogue of exploited vulnerabilities: {gone} answered 404")
    );
}

#[test]
fn certificates_that_are_none_are_refused_before_anything_is_asked() {
    let (_keep, folder) = temporary();
    let path = folder.join("ca.pem");
    assert!(matches!(
        Downloader::new(Some(&path)),
        Err(NetworkError::Unreadable { .. })
    ));
    for bad in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    ] {
        std::fs::write(&path, bad).unwrap();
        assert!(matches!(
            Downloader::new(Some(&path)),
            Err(NetworkError::NoCertificates { .. })
        ));
    }
}
