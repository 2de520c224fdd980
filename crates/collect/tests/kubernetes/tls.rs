//! A server with a certificate, which wants one of us, too.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use seareeve_collect::kubernetes::{ClientCertificate, Cluster, Connection, Credentials, Limits};

/// Makes an authority, and certificates of a server `inner.test` and of a reader.
const MAKE: &str = r#"
set -e
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"; }
key ca
openssl req -x509 -new -key ca.key -days 2 -subj "/CN=test authority" -out ca.pem \
  -addext "keyUsage=critical,keyCertSign"
for name in server:serverAuth reader:clientAuth; do
  of=${name%:*}
  key "$of"
  openssl req -new -key "$of.key" -subj "/CN=$of" -out "$of.csr"
  printf "subjectAltName=DNS:inner.test\nextendedKeyUsage=${name#*:}\nbasicConstraints=CA:FALSE\n" > "$of.ext"
  openssl x509 -req -in "$of.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "$of.ext" -out "$of.pem"
done
"#;

fn certificates(folder: &Utf8Path) -> bool {
    let made = Command::new("sh")
        .args(["-c", MAKE])
        .current_dir(folder)
        .output();
    if made.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let required = std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "openssl is required, and is not there");
    #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
    {
        println!("NOT RUN: openssl is not there");
    }
    false
}

/// Serves its version for as long as the test goes on. Gives its port.
fn serve(folder: &Utf8PathBuf) -> u16 {
    let chain = |name: &str| -> Vec<CertificateDer<'static>> {
        let file = CertificateDer::pem_file_iter(folder.join(name)).unwrap();
        file.map(Result::unwrap).collect()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain("ca.pem"));
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain("server.pem"), key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            let mut line = String::new();
            // A client that does not trust us, or that we do not, ends its connection here.
            while stream.read_line(&mut line).is_ok_and(|count| count > 2) {
                line.clear();
            }
            let body = r#"{"gitVersion":"v1.30.0"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _gone = stream.get_mut().write_all(answer.as_bytes());
            let _gone = stream.get_mut().flush();
        }
    });
    port
}

#[test]
fn both_sides_are_known_by_their_certificates() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
    if !certificates(&folder) {
        return;
    }
    let port = serve(&folder);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let good = Connection {
        name: "tls".to_owned(),
        server: format!("https://127.0.0.1:{port}"),
        authorities: Some(read("ca.pem")),
        skips_verification: false,
        tls_server_name: Some("inner.test".to_owned()),
        proxy: None,
        credentials: Credentials::None,
        certificate: Some(ClientCertificate {
            chain: read("reader.pem"),
            key: read("reader.key"),
        }),
        act_as: None,
    };
    let version = |connection: Connection| {
        let cluster = Cluster::new(&connection, Limits::default()).unwrap();
        cluster.about().map(|about| about.version)
    };
    assert_eq!(version(good.clone()).unwrap().as_deref(), Some("v1.30.0"));
    let skipping = Connection {
        authorities: None,
        tls_server_name: None,
        skips_verification: true,
        ..good.clone()
    };
    assert!(version(skipping).is_ok());
    for bad in [
        // Its name is another.
        Connection {
            tls_server_name: None,
            ..good.clone()
        },
        // Nobody vouches for it.
        Connection {
            authorities: None,
            ..good.clone()
        },
        // It does not know us.
        Connection {
            certificate: None,
            ..good.clone()
        },
    ] {
        assert!(version(bad).is_err());
    }
    // The key is another's.
    let mixed = Connection {
        certificate: Some(ClientCertificate {
            chain: read("reader.pem"),
            key: read("server.key"),
        }),
        ..good
    };
    let error = Cluster::new(&mixed, Limits::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("the client certificate cannot be used"),
        "{error}"
    );
}
