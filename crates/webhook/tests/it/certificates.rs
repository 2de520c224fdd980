//! Certificates: our own, and given ones.

use std::os::unix::fs::PermissionsExt as _;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use seareeve_webhook::{Clock, Source, Tls, authority};
use serde_json::Value;

use crate::support::{agent, folder, own_names, pod, review, serve, start, start_at, with_file};

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

/// A clock that is so many days behind, and the number to change.
fn behind(days: i64) -> (Clock, Arc<AtomicI64>) {
    let days = Arc::new(AtomicI64::new(days));
    let behind = Arc::clone(&days);
    let clock =
        move || Timestamp::now() - SignedDuration::from_hours(24 * behind.load(Ordering::SeqCst));
    (Arc::new(clock), days)
}

#[test]
fn a_certificate_is_renewed_before_its_end_and_no_request_is_left_without_an_answer() {
    let (_guard, folder) = folder();
    let file = folder.join("policy.yaml");
    std::fs::write(&file, format!("schema: seareeve.admission/1\n{OFF}")).unwrap();
    // What it makes now is 271 days old, and good for 94 others.
    let (clock, days) = behind(271);
    let webhook = start_at(&folder, own_names(), Source::File(file), None, clock);
    let certificate = || std::fs::read(folder.join("admission.crt")).unwrap();
    let (first, known) = (certificate(), webhook.authority.clone());
    let url = format!("https://{}/validate", webhook.address);
    let body = review(&pod("nginx", false)).to_string();
    // Each over a connection of its own, by what the API server was told at the beginning.
    let asked = || {
        let answer = agent(&known).post(&url).send(body.as_bytes());
        assert_eq!(answer.unwrap().status().as_u16(), 200);
    };
    asked();
    // A copy of the folder is as old as what is in it.
    let file = std::fs::File::options()
        .append(true)
        .open(folder.join("admission.crt"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    days.store(0, Ordering::SeqCst);
    let end = Instant::now() + Duration::from_secs(60);
    while certificate() == first {
        asked();
        assert!(Instant::now() < end, "it is renewed");
    }
    asked();
    assert_eq!(authority(own_names(), &folder).unwrap(), known);
}

#[test]
fn an_authority_that_ended_is_made_anew_and_no_certificate_outlives_one() {
    let (_guard, folder) = folder();
    let file = folder.join("policy.yaml");
    std::fs::write(&file, format!("schema: seareeve.admission/1\n{OFF}")).unwrap();
    let source = || Source::File(file.clone());
    // Ten years less half a one ago.
    let (clock, _) = behind(10 * 365 - 180);
    let old = start_at(&folder, own_names(), source(), None, clock);
    let first = old.authority.clone();
    drop(old);
    let now = with_file(&folder, OFF);
    assert_eq!(now.authority, first);
    now.review(&pod("nginx", false));
    let made = std::fs::read(folder.join("admission.crt")).unwrap();
    drop(now);
    // 200 days later it has ended, with the certificate.
    let (clock, _) = behind(-200);
    let later = start_at(&folder, own_names(), source(), None, clock);
    assert_ne!(later.authority, first);
    assert_ne!(std::fs::read(folder.join("admission.crt")).unwrap(), made);
}

#[test]
fn the_server_is_told_when_the_certificate_ends() {
    let (_guard, folder) = folder();
    let file = folder.join("policy.yaml");
    std::fs::write(&file, format!("schema: seareeve.admission/1\n{OFF}")).unwrap();
    let reports = Arc::new(Mutex::new(Vec::<Value>::new()));
    let kept = Arc::clone(&reports);
    let server = serve(move |request, body| {
        if request.starts_with("POST /api/v1/admission/decisions") {
            let report = serde_json::from_str(body).unwrap();
            kept.lock().unwrap().push(report);
        }
        ("200 OK", r#"{"new":true}"#.to_owned())
    });
    let (clock, _) = behind(100);
    let source = Source::File(file);
    // The last report comes at the end.
    drop(start_at(&folder, own_names(), source, Some(&server), clock));
    let reports = reports.lock().unwrap();
    let told = &reports.last().unwrap()["certificate"];
    for (field, made_for) in [("until", 365), ("authority_until", 3650)] {
        let until: Timestamp = told[field].as_str().unwrap().parse().unwrap();
        let days = (until - Timestamp::now()).total(jiff::Unit::Hour).unwrap() / 24.0 + 100.0;
        // Certificates end with a day.
        let expected = f64::from(made_for);
        assert!(days > expected - 1.1 && days <= expected, "{field}: {days}");
    }
    assert_eq!(told["problem"], Value::Null);
    assert_eq!(told["refused"], Value::Null);
}
