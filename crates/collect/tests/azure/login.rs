//! Getting tokens: each kind of credentials, and what goes wrong.

use std::process::Command;

use seareeve_collect::azure::{AskError, Credentials, Secret};
use seareeve_lab::azure::{FEDERATED, Fake, HEADER, SECRET};

use crate::support::{CLIENT, TENANT, client, fake, limits, principal};

fn logins(fake: &Fake) -> usize {
    let asked = fake.asked();
    let is_login = |path: &str| path.contains("token");
    asked.iter().filter(|asked| is_login(&asked.path)).count()
}

fn reads(fake: &Fake, credentials: Credentials) -> Result<usize, AskError> {
    let estate = client(fake, credentials, limits()).0.read(&[])?;
    Ok(estate.subscriptions.len())
}

#[test]
fn a_service_principal_logs_in_once() {
    let fake = fake();
    assert_eq!(reads(&fake, principal()).unwrap(), 2);
    assert_eq!(logins(&fake), 1);
    let login = fake.asked()[0].clone();
    assert_eq!(login.method, "POST");
    assert_eq!(login.path, format!("/login/{TENANT}/oauth2/v2.0/token"));
    assert!(login.body.contains(&format!("client_id={CLIENT}")));
    assert!(login.body.contains(".default"), "{}", login.body);
}

#[test]
fn a_secret_in_a_file_may_have_a_line_end() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let file: camino::Utf8PathBuf = file.try_into().unwrap();
    let by_file = |file: &str| Credentials::SecretFile {
        tenant: TENANT.to_owned(),
        client: CLIENT.to_owned(),
        file: file.into(),
    };
    assert_eq!(reads(&fake, by_file(file.as_str())).unwrap(), 2);
    std::fs::write(&file, "\n").unwrap();
    let error = reads(&fake, by_file(file.as_str())).unwrap_err();
    assert!(error.to_string().ends_with("is empty"), "{error}");
    let error = reads(&fake, by_file("/nowhere/secret")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/secret"), "{error}");
}

#[test]
fn a_federated_token_is_enough() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, FEDERATED).unwrap();
    let credentials = Credentials::Federated {
        tenant: TENANT.to_owned(),
        client: CLIENT.to_owned(),
        file: file.try_into().unwrap(),
    };
    assert_eq!(reads(&fake, credentials).unwrap(), 2);
    let body = &fake.asked()[0].body;
    assert!(body.contains("client_assertion_type=urn"), "{body}");
}

/// A key and its certificate in one file, as `openssl` makes them.
fn certificate(folder: &std::path::Path, algorithm: &[&str]) -> camino::Utf8PathBuf {
    let (key, cert) = (folder.join("key.pem"), folder.join("cert.pem"));
    let done = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=seareeve",
        ])
        .arg("-newkey")
        .args(algorithm)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let both = std::fs::read_to_string(&key).unwrap() + &std::fs::read_to_string(&cert).unwrap();
    let file = folder.join("both.pem");
    std::fs::write(&file, both).unwrap();
    file.try_into().unwrap()
}

#[test]
fn a_certificate_proves_who_asks() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let credentials = |file| Credentials::Certificate {
        tenant: TENANT.to_owned(),
        client: CLIENT.to_owned(),
        file,
    };
    let file = certificate(folder.path(), &["rsa:2048"]);
    assert_eq!(reads(&fake, credentials(file)).unwrap(), 2);
    let body = fake.asked()[0].body.clone();
    let token = body
        .split('&')
        .find_map(|pair| pair.strip_prefix("client_assertion="));
    let parts: Vec<&str> = token.unwrap().split('.').collect();
    let json = |part: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (json(parts[0]), json(parts[1]));
    assert_eq!(header["alg"], "PS256");
    assert_eq!(header["x5t#S256"].as_str().unwrap().len(), 43);
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&CLIENT.into(), &CLIENT.into())
    );
    assert_eq!(
        claims["aud"],
        format!("{}/{TENANT}/oauth2/v2.0/token", fake.login())
    );
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(),
        300
    );
    // openssl says that the certificate's key made the signature.
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let signed = write("signed", format!("{}.{}", parts[0], parts[1]).as_bytes());
    let signature = write("signature", &URL_SAFE_NO_PAD.decode(parts[2]).unwrap());
    let public = Command::new("openssl")
        .args(["x509", "-pubkey", "-noout", "-in"])
        .arg(folder.path().join("cert.pem"))
        .output()
        .unwrap();
    let public = write("public.pem", &public.stdout);
    let verified = Command::new("openssl")
        .args([
            "dgst",
            "-sha256",
            "-sigopt",
            "rsa_padding_mode:pss",
            "-verify",
        ])
        .arg(public)
        .arg("-signature")
        .arg(signature)
        .arg(signed)
        .output()
        .unwrap();
    assert!(verified.status.success());
    // Entra ID wants RSA.
    let file = certificate(
        folder.path(),
        &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    );
    let error = reads(&fake, credentials(file.clone())).unwrap_err();
    assert!(error.to_string().contains("none of RSA"), "{error}");
    std::fs::write(&file, "no certificate").unwrap();
    let error = reads(&fake, credentials(file)).unwrap_err();
    assert!(
        error.to_string().contains("no certificate in PEM form"),
        "{error}"
    );
}

#[test]
fn a_machine_and_an_application_have_identities() {
    let fake = fake();
    let client = Some(CLIENT.to_owned());
    assert_eq!(
        reads(
            &fake,
            Credentials::Machine {
                client: client.clone()
            }
        )
        .unwrap(),
        2
    );
    let asked = fake.asked()[0].clone();
    assert_eq!(asked.path, "/imds/metadata/identity/oauth2/token");
    assert!(asked.query.contains("resource=http://"), "{}", asked.query);
    assert!(asked.query.contains(&format!("client_id={CLIENT}")));
    let application = |header: &str| Credentials::AppService {
        endpoint: fake.identity(),
        header: Secret::new(header),
        client: client.clone(),
    };
    assert_eq!(reads(&fake, application(HEADER)).unwrap(), 2);
    let error = reads(&fake, application("another")).unwrap_err();
    assert!(matches!(error, AskError::NoToken { .. }), "{error}");
}

#[test]
fn a_wrong_secret_is_said_and_not_shown() {
    let fake = fake();
    let credentials = Credentials::Secret {
        tenant: TENANT.to_owned(),
        client: CLIENT.to_owned(),
        secret: Secret::new("hunter2"),
    };
    // The fake repeats what it was sent, as no real one does.
    let error = reads(&fake, credentials).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("AADSTS7000215"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(logins(&fake), 1);
}

#[test]
fn a_token_that_was_taken_back_is_got_anew() {
    let fake = fake();
    let (mut azure, _) = client(&fake, principal(), limits());
    azure.read(&[]).unwrap();
    fake.take_tokens_back();
    azure.read(&[]).unwrap();
    assert_eq!(logins(&fake), 2);
}

#[test]
fn a_token_is_got_anew_before_it_ends() {
    let fake = fake();
    fake.set_lasts(0);
    reads(&fake, principal()).unwrap();
    let asked = fake.asked().len();
    assert_eq!(logins(&fake) * 2, asked);
}
