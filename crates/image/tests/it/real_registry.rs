//! The real registry of the distribution project, filled by the real `skopeo`.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use seareeve_image::{Authorities, Credentials, Login, Options, ReadError, Secret, Source};

use crate::made_images::make;
use crate::support::{did_not_run, read_all};

/// Ends the registry with the test, also when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about it here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A free port.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a registry with further settings for `http` and at the end.
fn start(folder: &Utf8Path, port: u16, http: &str, further: &str) -> Option<Running> {
    let config = folder.join("registry.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n\
         http: {{addr: \"127.0.0.1:{port}\", secret: test{http}}}\n{further}\n"
    );
    std::fs::write(&config, text).unwrap();
    let started = Command::new("docker-registry")
        .args(["serve", config.as_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = started else {
        did_not_run("docker-registry");
        return None;
    };
    let running = Running(child);
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "docker-registry does not listen");
        std::thread::yield_now();
    }
    Some(running)
}

/// Puts the image of an archive into a registry.
fn copy(archive: &Utf8Path, target: &str, further: &[&str]) {
    // skopeo splits at the colon of a name, so the name inside the archive is left out.
    let copied = Command::new("skopeo")
        .args(["copy", "--insecure-policy"])
        .args(further)
        .args([
            format!("oci-archive:{archive}"),
            format!("docker://{target}"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&copied.stderr);
    assert!(copied.status.success(), "{said}");
}

#[test]
fn a_real_registry_gives_what_the_archive_gives() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        return did_not_run("skopeo");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let port = port();
    let names = ["tiny", "hostile-whiteouts"];
    if make(folder, &names).is_none() {
        return;
    }
    let Some(_running) = start(folder, port, "", "") else {
        return;
    };
    for name in names {
        let archive = folder.join(format!("{name}.oci.tar"));
        copy(
            &archive,
            &format!("127.0.0.1:{port}/test/{name}:1"),
            &["--dest-tls-verify=false"],
        );
        let local = read_all(&Source::Archive(archive), &Options::default()).unwrap();
        let reference = format!("127.0.0.1:{port}/test/{name}:1").parse().unwrap();
        let remote = read_all(&Source::Registry(reference), &Options::default()).unwrap();
        assert_eq!(remote.problems, []);
        assert_eq!(remote.tree, local.tree);
        assert_eq!(remote.image.layers, local.image.layers);
        assert_eq!(remote.image.config_digest, local.image.config_digest);
    }
    let absent = format!("127.0.0.1:{port}/test/absent:1").parse().unwrap();
    let error = read_all(&Source::Registry(absent), &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no image 127.0.0.1:{port}/test/absent:1")
    );
}

/// Makes an authority and a certificate for 127.0.0.1 in `folder`: `ca.crt`, `tls.crt`, `tls.key`.
fn certify(folder: &Utf8Path) -> Option<()> {
    let extension = "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    std::fs::write(folder.join("extension"), extension).unwrap();
    for arguments in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.csr -subj /CN=registry",
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extension -out tls.crt",
    ] {
        let Ok(made) = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder)
            .output()
        else {
            did_not_run("openssl");
            return None;
        };
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
    }
    Some(())
}

#[test]
fn a_real_registry_with_tls_and_a_password_opens_to_who_has_both() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        return did_not_run("skopeo");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let port = port();
    if make(folder, &["tiny"]).is_none() || certify(folder).is_none() {
        return;
    }
    // `htpasswd -nbB -C 4 ann 'open sesame'`.
    let users = "ann:$2y$04$uVFwBw/n3mX9Pyo2H0YlfeqLhigdYfhBJBYTOc9Z08BoJk4dAn.ie\n";
    std::fs::write(folder.join("users"), users).unwrap();
    let tls = format!(", tls: {{certificate: {folder}/tls.crt, key: {folder}/tls.key}}");
    let auth = format!("auth: {{htpasswd: {{realm: test, path: {folder}/users}}}}");
    let Some(_running) = start(folder, port, &tls, &auth) else {
        return;
    };
    let archive = folder.join("tiny.oci.tar");
    let name = format!("127.0.0.1:{port}/test/tiny:1");
    let login = ["--dest-tls-verify=false", "--dest-creds", "ann:open sesame"];
    copy(&archive, &name, &login);

    let source = Source::Registry(name.parse().unwrap());
    let mut authorities = Authorities::default();
    let pem = std::fs::read(folder.join("ca.crt")).unwrap();
    authorities.add_pem(&pem).unwrap();
    let as_ann = |password: &str| {
        let registry = format!("127.0.0.1:{port}").parse().unwrap();
        let login = Login::Password {
            username: "ann".to_owned(),
            password: Secret::new(password),
        };
        Credentials::default().with(registry, login)
    };
    let read = |authorities: &Authorities, credentials: Credentials| {
        let options = Options {
            authorities: authorities.clone(),
            credentials,
            retries: 0,
            ..Options::default()
        };
        read_all(&source, &options)
    };
    let contents = read(&authorities, as_ann("open sesame")).unwrap();
    assert_eq!(contents.problems, []);
    let local = read_all(&Source::Archive(archive), &Options::default()).unwrap();
    assert_eq!(contents.tree, local.tree);
    for (credentials, who) in [
        (Credentials::default(), "anonymous users"),
        (as_ann("wrong"), "the user ann"),
    ] {
        match read(&authorities, credentials) {
            Err(ReadError::Unauthorized { who: said, .. }) => assert_eq!(said, who),
            other => panic!("{other:?}"),
        }
    }
    // Nobody vouches for it to those who do not know its authority.
    let unknown = read(&Authorities::default(), as_ann("open sesame"));
    assert!(
        matches!(unknown, Err(ReadError::Network { .. })),
        "{unknown:?}"
    );
}

#[test]
fn what_is_no_certificate_is_refused() {
    let mut authorities = Authorities::default();
    for (pem, why) in [
        ("", "it holds no certificate"),
        ("hello", "it holds no certificate"),
    ] {
        assert_eq!(
            authorities.add_pem(pem.as_bytes()).unwrap_err().to_string(),
            format!("it is no list of certificates in PEM form: {why}")
        );
    }
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    assert!(authorities.add_pem(cut.as_bytes()).is_err());
}
