//! A server with a certificate of one's own authority, which browsers do not know: the command line, sensors and
//! admission webhooks are told of it, and say so when it is another.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::audit::until;
use crate::support::{Home, Run};

/// One who signs certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for `name`, and its key.
    fn certificate(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server whose authority stands in `ca.pem`, beside one that nobody asked in `other.pem`.
struct Server {
    home: Home,
    address: String,
    /// An API token of its first user.
    token: String,
    /// A token to join by.
    join: String,
    _process: Running,
}

fn server(name: &str) -> Server {
    let home = Home::new();
    let authority = Authority::new();
    let (certificate, key) = authority.certificate(name);
    for (file, text) in [
        ("ca.pem", &authority.pem),
        ("other.pem", &Authority::new().pem),
        ("tls.pem", &certificate),
        ("tls.key", &key),
    ] {
        home.write(file, text);
    }
    home.write("nothing.pem", "no certificate\n");
    let log = std::fs::File::create(home.path().join("log")).unwrap();
    let mut process = home
        .command(&["up", "--listen", "127.0.0.1:0"])
        .env("SEAREEVE_SERVER_DATA_DIR", "data")
        .env("SEAREEVE_SERVER_CERTIFICATE", "tls.pem")
        .env("SEAREEVE_SERVER_KEY", "tls.key")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let process = Running(process);
    let link = lines
        .find_map(|line| {
            let line = line.unwrap();
            Some(line.strip_prefix("Open ")?.split(' ').next()?.to_owned())
        })
        .unwrap();
    let (_, port) = link.split_once("://").unwrap().1.split_once(':').unwrap();
    let port = port.split('/').next().unwrap();
    let address = format!("https://localhost:{port}");
    let (token, join) = tokens(&address, link.split_once("#token=").unwrap().1);
    Server {
        home,
        address,
        token,
        join,
        _process: process,
    }
}

/// A token for the API and one to join by, for who follows the link, whatever name the certificate is for.
fn tokens(address: &str, link: &str) -> (String, String) {
    let tls = ureq::tls::TlsConfig::builder()
        .disable_verification(true)
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .build()
        .new_agent();
    let mut answer = agent
        .post(format!("{address}/api/v1/session/link"))
        .send_json(json!({ "token": link.trim() }))
        .unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let session: Value = answer.body_mut().read_json().unwrap();
    let secret = |path: &str, wanted: &Value| -> String {
        let mut answer = agent
            .post(format!("{address}{path}"))
            .header("cookie", &cookie)
            .header("x-csrf-token", session["csrf_token"].as_str().unwrap())
            .send_json(wanted)
            .unwrap();
        let made: Value = answer.body_mut().read_json().unwrap();
        made["secret"].as_str().unwrap().to_owned()
    };
    (
        secret("/api/v1/tokens", &json!({"name": "test", "days": 1})),
        secret("/api/v1/join-tokens", &json!({"name": "test", "hours": 1})),
    )
}

impl Server {
    /// The program, told of the authority in `file`.
    fn run(&self, arguments: &[&str], file: Option<&str>) -> Run {
        let mut command = self.home.command(arguments);
        command
            .env("SEAREEVE_SERVER", &self.address)
            .env("SEAREEVE_TOKEN", &self.token)
            .env("SEAREEVE_JOIN_TOKEN", &self.join);
        if let Some(file) = file {
            command.env("SEAREEVE_SERVER_AUTHORITY", file);
        }
        Run::from(command.output().unwrap())
    }

    /// What was said, without what differs each time.
    fn said(&self, run: &Run) -> String {
        run.err.replace(&self.address, "SERVER")
    }
}

#[test]
fn the_command_line_trusts_an_authority_that_it_is_told_of() {
    let server = server("localhost");
    let status = ["server", "status"];
    let run = server.run(&status, Some("ca.pem"));
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let refused = |file| {
        let run = server.run(&status, file);
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        server.said(&run)
    };
    insta::assert_snapshot!(refused(None), @"error: the certificate of SERVER/api/v1/status comes from an authority that is not known here: if it is your own, name its file in SEAREEVE_SERVER_AUTHORITY: io: invalid peer certificate: UnknownIssuer");
    // Another authority of the same name, as one is that was made anew.
    let other = refused(Some("other.pem"));
    assert_eq!(
        other.replace("BadSignature", "UnknownIssuer"),
        refused(None)
    );
    insta::assert_snapshot!(refused(Some("nothing.pem")), @"error: the server's authority cannot be used: it is no list of certificates in PEM form: it holds no certificate");
    insta::assert_snapshot!(refused(Some("nowhere.pem")), @"error: failed to read the server's authority nowhere.pem: No such file or directory (os error 2)");
}

#[test]
fn who_does_not_agree_on_tls_is_told_once() {
    let server = server("localhost");
    let (_, address) = server.address.split_once("://").unwrap();
    // One that says nothing, and two that speak something else.
    for said in ["", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let log = || std::fs::read_to_string(server.home.path().join("log")).ok();
    let log = until(log, |log| log.contains("do not agree on TLS"));
    assert_eq!(log.matches("do not agree on TLS").count(), 1, "{log}");
    assert!(log.contains("error=received corrupt message"), "{log}");
}

#[test]
fn a_certificate_for_another_name_is_told_as_that() {
    let server = server("seareeve.example");
    let run = server.run(&["server", "status"], Some("ca.pem"));
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(server.said(&run), @r#"error: failed to reach SERVER/api/v1/status: io: invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for DnsName("seareeve.example")"#);
}

#[test]
fn an_api_server_is_told_whom_to_trust() {
    let server = server("localhost");
    let arguments = ["k8s", "audit-setup", "--cluster", "prod", "--folder", "out"];
    let run = server.run(&arguments, Some("ca.pem"));
    assert_eq!(run.code, 0, "{}", run.err);
    insta::assert_snapshot!(server.said(&run), @r"
    wrote out/audit-policy.yaml and out/audit-webhook.yaml, which holds a token
    in audit-webhook.yaml: The API server has to trust who signed Seareeve's certificate. Where its machine does not, add below `server` the line `certificate-authority: FILE`.
    prod is off, and raises no alerts: `seareeve server audit on prod` says what it takes
    the policy leaves out what is in secrets; blind for that, on purpose: token-secret-created
    put the files into /etc/kubernetes on each control plane node, mount them into the API server's pod, and add these flags:
    ");
    let file = std::fs::read_to_string(server.home.path().join("out/audit-webhook.yaml")).unwrap();
    let address = format!("    server: {}/audit/prod\n", server.address);
    assert!(file.contains(&address), "{file}");

    // Somebody does it again: what the first file lets in is named.
    let again = server.run(&arguments, Some("ca.pem"));
    let told = "prod had webhooks before, whose tokens stay good: once the new file is in use, end them with \
        `seareeve server audit delete-source prod 1`\n";
    assert!(again.err.contains(told), "{}", again.err);
}

#[test]
fn an_image_is_judged_by_a_server_of_ones_own_authority() {
    let server = server("localhost");
    server.home.image(&crate::support::APP);
    let arguments = ["image", "--input", "app.tar", "-q"];
    let run = server.run(&arguments, Some("ca.pem"));
    assert_eq!(run.code, 0, "{}", run.err);
    let run = server.run(&arguments, Some("other.pem"));
    assert_eq!(run.code, 1);
    assert!(run.err.contains("SEAREEVE_SERVER_AUTHORITY"), "{}", run.err);
}

#[test]
fn a_sensor_trusts_an_authority_that_it_is_told_of() {
    let server = server("localhost");
    std::fs::create_dir(server.home.path().join("root")).unwrap();
    let sensor = |file: &str| {
        let arguments = [
            "--data-dir",
            "sensor",
            "sensor",
            "--once",
            "--root",
            "root",
            "--socket",
            "nowhere.sock",
            "--server-authority",
            file,
        ];
        server.run(&arguments, None)
    };
    let run = sensor("other.pem");
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(server.said(&run), @"error: failed to join: the certificate of SERVER/api/v1/join comes from an authority that is not known here: if it is your own, name its file in SEAREEVE_SERVER_AUTHORITY: io: invalid peer certificate: BadSignature");
    let run = sensor("ca.pem");
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(
        server.said(&run),
        "joined SERVER as sensor 1\nfacts sent to SERVER\n"
    );
}

#[test]
fn an_admission_webhook_trusts_an_authority_that_it_is_told_of() {
    let server = server("localhost");
    server.home.write("join", &server.join);
    let webhook = |folder: &str, file: &str| {
        let arguments = [
            "--data-dir",
            folder,
            "admission",
            "--server",
            &server.address,
            "--server-authority",
            file,
            "--join-file",
            "join",
            "--listen",
            "127.0.0.1:0",
            "--dns",
            "localhost",
            "--cluster",
            "prod",
        ];
        let mut process = server
            .home
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let _process = Running(process);
        said.next().unwrap().unwrap()
    };
    let said = webhook("first", "ca.pem");
    assert!(said.contains("joined https://localhost"), "{said}");
    // It waits for a server to come: what is wrong stands in its log.
    let said = webhook("second", "other.pem");
    assert!(
        said.contains("not joined") && said.contains("SEAREEVE_SERVER_AUTHORITY"),
        "{said}"
    );
}
