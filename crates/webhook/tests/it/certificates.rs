//! Certificates: our own, and given ones.

use std::os::unix::fs::PermissionsExt as _;

use seareeve_webhook::{Source, Tls, authority};

use crate::support::{agent, folder, own_names, pod, review, start, with_file};

const OFF: &str = "mode: 'off'";

#[test]
fn the_authority_stays_over_starts_and_its_key_is_private() {
    let (_guard, folder) = folder();
    let first = with_file(&folder, OFF).authority.clone();
    let second = with_file(&folder, OFF);
    assert_eq!(first, second.authority);
    assert_eq!(authority(own_names(), &folder).unwrap(), first);
    for key in ["admission-ca.key", "admission.key"] {
        let mode = std::fs::metadata(folder.join(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[test]
fn other_names_get_another_certificate_of_the_same_authority() {
    let (_guard, folder) = folder();
    let certificate = || std::fs::read(folder.join("admission.crt")).unwrap();
    let first = with_file(&folder, OFF).authority.clone();
    let before = certificate();
    let other = Tls::Own(vec!["webhook.example".to_owned()]);
    // Who only asks for the authority changes nothing.
    assert_eq!(authority(other.clone(), &folder).unwrap(), first);
    assert_eq!(certificate(), before);
    let second = start(
        &folder,
        other,
        Source::File(folder.join("policy.yaml")),
        None,
    );
    assert_eq!(second.authority, first);
    assert_ne!(certificate(), before);
}

#[test]
fn who_knows_another_authority_trusts_it_not() {
    let (_one, folder_one) = folder();
    let (_other, folder_other) = folder();
    let webhook = with_file(&folder_one, OFF);
    let stranger = agent(&authority(own_names(), &folder_other).unwrap());
    let url = format!("https://{}/validate", webhook.address);
    let body = review(&pod("nginx", false)).to_string();
    assert!(stranger.post(&url).send(body.as_bytes()).is_err());
}

#[test]
fn given_files_are_used_and_read_again_when_they_change() {
    let (_guard, folder) = folder();
    let (_other, elsewhere) = self::folder();
    authority(own_names(), &folder).unwrap();
    let tls = Tls::Files {
        certificate: folder.join("admission.crt"),
        key: folder.join("admission.key"),
        authority: Some(folder.join("admission-ca.crt")),
    };
    let file = folder.join("policy.yaml");
    std::fs::write(&file, "schema: seareeve.admission/1\nmode: 'off'").unwrap();
    let webhook = start(&elsewhere, tls, Source::File(file), None);
    assert_eq!(webhook.review(&pod("nginx", false))["allowed"], true);
    assert!(!elsewhere.join("admission.key").exists());

    // Another authority's certificate in place of it: who trusts that one is answered, soon.
    let (_third, fresh) = self::folder();
    let trusted = agent(&authority(own_names(), &fresh).unwrap());
    for name in ["admission.key", "admission.crt"] {
        std::fs::rename(fresh.join(name), folder.join(name)).unwrap();
    }
    let url = format!("https://{}/validate", webhook.address);
    let body = review(&pod("nginx", false)).to_string();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while trusted.post(&url).send(body.as_bytes()).is_err() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let (_guard, folder) = folder();
    std::fs::write(folder.join("a.pem"), "nothing").unwrap();
    let tls = Tls::Files {
        certificate: folder.join("a.pem"),
        key: folder.join("a.pem"),
        authority: None,
    };
    let error = format!("{:#}", authority(tls, &folder).unwrap_err());
    assert!(error.contains("a.pem"), "{error}");
}
