//! Private registries, and layers that are read once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use seareeve_server::registries::{Password, RegistryConfig};
use serde_json::{Value, json};

use crate::support::{BOOKWORM, Browser, debian, folder, sha256, start, tar};

/// A registry on loopback that wants `robot` and `beep` to say who they are. It notes which paths it gave away.
struct Registry {
    host: String,
    given: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    fn start() -> Self {
        let layer = tar([
            ("etc/os-release", BOOKWORM.as_bytes()),
            (
                "var/lib/dpkg/status",
                debian(&[("hello", "2.10-3")]).as_bytes(),
            ),
        ]);
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [sha256(&layer)] },
        })
        .to_string()
        .into_bytes();
        let blob = |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": sha256(bytes), "size": bytes.len() });
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": kind,
            "config": blob("application/vnd.oci.image.config.v1+json", &config),
            "layers": [blob("application/vnd.oci.image.layer.v1.tar", &layer)] })
        .to_string()
        .into_bytes();
        let answers = vec![
            (format!("/v2/team/app/blobs/{}", sha256(&layer)), layer),
            (format!("/v2/team/app/blobs/{}", sha256(&config)), config),
            (
                format!("/v2/team/app/manifests/{}", sha256(&manifest)),
                manifest.clone(),
            ),
            ("/v2/team/app/manifests/1".to_owned(), manifest),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self {
            host: listener.local_addr().unwrap().to_string(),
            given: Arc::default(),
        };
        let given = Arc::clone(&registry.given);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, given) = (answers.clone(), Arc::clone(&given));
                std::thread::spawn(move || serve(&stream.unwrap(), &answers, &given));
            }
        });
        registry
    }

    fn blobs(&self) -> usize {
        let given = self.given.lock().unwrap();
        given.iter().filter(|path| path.contains("/blobs/")).count()
    }
}

/// Answers one request per connection.
fn serve(stream: &TcpStream, answers: &[(String, Vec<u8>)], given: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let is_robot = headers.iter().any(|header| {
        let (name, value) = header.split_once(": ").unwrap_or_default();
        // robot:beep
        name.eq_ignore_ascii_case("authorization") && value == "Basic cm9ib3Q6YmVlcA=="
    });
    let path = request.split(' ').nth(1).unwrap_or_default();
    let found = answers.iter().find(|(known, _)| known == path);
    let (status, kind, body) = match found {
        _ if !is_robot => ("401 Unauthorized", "text/plain", &[][..]),
        None => ("404 Not Found", "text/plain", &[][..]),
        Some((path, body)) => {
            given.lock().unwrap().push(path.clone());
            let is_manifest = path.contains("/manifests/");
            let kind = if is_manifest {
                "application/vnd.oci.image.manifest.v1+json"
            } else {
                "application/octet-stream"
            };
            ("200 OK", kind, body.as_slice())
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         www-authenticate: Basic realm=\"test\"\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    let is_head = request.starts_with("HEAD");
    // Whoever asks may hang up early.
    let _ = stream.write_all(head.as_bytes());
    if !is_head {
        let _ = stream.write_all(body);
    }
}

fn scan(browser: &mut Browser, reference: &str) -> Value {
    let asked = browser.post("/api/v1/scans", json!({ "reference": reference }));
    assert_eq!(asked.status, 202, "{}", asked.body);
    let id = asked.body["id"].as_i64().unwrap();
    browser.until(&format!("/api/v1/scans/{id}"), |scan| {
        !["queued", "running"].contains(&scan["state"].as_str().unwrap())
    })
}

#[test]
fn an_image_of_a_private_registry_is_scanned_and_its_layers_are_kept() {
    let (keep, data) = folder();
    let registry = Registry::start();
    let reference = format!("{}/team/app:1", registry.host);
    {
        let server = start(&data, |_| {});
        let mut browser = Browser::signed_in(&server);
        let refused = scan(&mut browser, &reference);
        assert_eq!(refused["state"], "failed", "{refused}");
    }
    let secret = keep.path().join("password");
    std::fs::write(&secret, "beep\n").unwrap();
    let private = RegistryConfig {
        host: registry.host.clone(),
        username: "robot".to_owned(),
        password_file: secret.try_into().unwrap(),
        ..RegistryConfig::default()
    };
    let server = start(&data, |config| {
        config.scan.registries = vec![private.clone()]
    });
    let mut browser = Browser::signed_in(&server);
    let done = scan(&mut browser, &reference);
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(registry.blobs(), 2, "configuration and layer");
    let image = format!("/api/v1/images/{}", done["image"].as_str().unwrap());
    assert_eq!(browser.get(&image).body["packages"], 1);

    // The layer is known: only the configuration is fetched again.
    assert_eq!(browser.send("DELETE", &image, None).status, 204);
    let again = scan(&mut browser, &reference);
    assert_eq!(
        (&again["state"], &again["image"]),
        (&json!("done"), &done["image"])
    );
    assert_eq!(registry.blobs(), 3);
    assert_eq!(browser.get(&image).body["packages"], 1);
    drop(server);

    let switched_off = RegistryConfig {
        password_file: "".into(),
        password: Password::new("beep"),
        ..private
    };
    let server = start(&data, |config| {
        config.scan.registries = vec![switched_off];
        config.scan.layer_cache_mib = 0;
    });
    let mut browser = Browser::signed_in(&server);
    assert_eq!(scan(&mut browser, &reference)["state"], "done");
    assert_eq!(registry.blobs(), 5);
}
