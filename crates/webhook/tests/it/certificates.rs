//! Certificates: our own, and given ones.

use std::os::unix::fs::PermissionsExt as _;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use seareeve_webhook::{Clock, Source, Tls, authority};
use serde_json::{Value, json};

use crate::support::{
    Running, agent, folder, own_names, pod, review, serve, start, start_at, started, with_file,
};

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

/// A policy that refuses nothing, in a file.
fn off(folder: &Utf8Path) -> Source {
    let file = folder.join("policy.yaml");
    std::fs::write(&file, format!("schema: seareeve.admission/1\n{OFF}")).unwrap();
    Source::File(file)
}

/// Whether somebody who knows this authority gets an answer.
fn is_trusted(authority: &str, webhook: &Running) -> bool {
    let url = format!("https://{}/validate", webhook.address);
    let body = review(&pod("nginx", false)).to_string();
    agent(authority).post(&url).send(body.as_bytes()).is_ok()
}

/// What the webhook tells a server at its end of its certificate, at that many days before now.
fn told(folder: &Utf8Path, days: i64) -> Value {
    let reports = Arc::new(Mutex::new(Vec::<Value>::new()));
    let kept = Arc::clone(&reports);
    let server = serve(move |request, body| {
        if request.starts_with("POST /api/v1/admission/decisions") {
            let report = serde_json::from_str(body).unwrap();
            kept.lock().unwrap().push(report);
        }
        ("200 OK", r#"{"new":true}"#.to_owned())
    });
    let (clock, _) = behind(days);
    drop(start_at(
        folder,
        own_names(),
        off(folder),
        Some(&server),
        clock,
    ));
    let reports = reports.lock().unwrap();
    reports.last().unwrap()["certificate"].clone()
}

/// From now until then, in days.
fn days_until(time: &Value) -> f64 {
    let time: Timestamp = time.as_str().unwrap().parse().unwrap();
    (time - Timestamp::now()).total(jiff::Unit::Hour).unwrap() / 24.0
}

#[test]
fn who_registers_in_an_authoritys_last_year_trusts_the_next_one_too() {
    let (_guard, folder) = folder();
    let start = |days| start_at(&folder, own_names(), off(&folder), None, behind(days).0);
    // Two years before its end there is one, half a year before it there are two.
    let first = start(8 * 365).authority.clone();
    let certificate = || std::fs::read(folder.join("admission.crt")).unwrap();
    assert_eq!(first.matches("BEGIN").count(), 1);
    assert_eq!(start(7 * 365).authority, first);
    let now = start(-2 * 365 + 180);
    let both = authority(own_names(), &folder).unwrap();
    assert_eq!(now.authority, both);
    assert!(both.starts_with(&first) && both.matches("BEGIN").count() == 2);
    let old = certificate();
    drop(now);
    // Until its end the old one signs, since somebody may know that alone; then the next one does.
    assert_eq!(start(-2 * 365 + 2).authority, both);
    assert_eq!(certificate(), old);
    assert_eq!(start(-2 * 365 - 1).authority, both);
    assert_ne!(certificate(), old);
}

#[test]
fn a_certificate_of_the_next_authority_is_taken_by_who_knows_both() {
    let (_guard, folder) = folder();
    let start = |days| start_at(&folder, own_names(), off(&folder), None, behind(days).0);
    // Ten years and a day ago, and half a year before that one's end.
    let first = start(10 * 365 + 1).authority.clone();
    let both = start(180).authority.clone();
    let now = start(0);
    assert!(is_trusted(&both, &now));
    assert!(!is_trusted(&first, &now));
    assert_eq!(told(&folder, 0)["problem"], Value::Null);
}

#[test]
fn an_authority_that_ended_without_a_next_one_is_made_anew_and_that_is_told() {
    let (_guard, folder) = folder();
    let start = |days| start_at(&folder, own_names(), off(&folder), None, behind(days).0);
    let first = start(11 * 365).authority.clone();
    let told = told(&folder, 0)["problem"].as_str().unwrap().to_owned();
    assert!(told.contains("registered again"), "{told}");
    let fresh = authority(own_names(), &folder).unwrap();
    let now = start(0);
    assert!(is_trusted(&fresh, &now));
    assert!(!is_trusted(&first, &now));
}

#[test]
fn a_certificate_that_cannot_be_renewed_yet_serves_and_that_is_told() {
    let (_guard, folder) = folder();
    let start = |days| start_at(&folder, own_names(), off(&folder), None, behind(days).0);
    // 80 days before its end, the volume takes nothing.
    let known = start(285).authority.clone();
    std::fs::create_dir(folder.join("admission.key.new")).unwrap();
    assert!(is_trusted(&known, &start(0)));
    let told = told(&folder, 0);
    let problem = told["problem"].as_str().unwrap();
    assert!(
        problem.contains("could not be renewed") && problem.contains("admission.key"),
        "{problem}"
    );
    // One that is over is of no use to anybody.
    let clock = behind(-90).0;
    assert!(started(&folder, own_names(), off(&folder), clock).is_err());
}

#[test]
fn an_authority_that_cannot_be_read_is_not_replaced() {
    for damaged in ["admission-ca.crt", "admission-ca.key"] {
        let (_guard, folder) = folder();
        let start = |days| start_at(&folder, own_names(), off(&folder), None, behind(days).0);
        let known = start(285).authority.clone();
        let (file, aside) = (folder.join(damaged), folder.join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        let again = || started(&folder, own_names(), off(&folder), behind(0).0);
        // A folder in its place, as of a volume that is not mounted right; what is no text; and what is no authority.
        std::fs::create_dir(&file).unwrap();
        let no_authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for content in [None, Some(&b"\xff"[..]), Some(no_authority.as_bytes())] {
            if let Some(content) = content {
                let _ = std::fs::remove_dir(&file);
                std::fs::write(&file, content).unwrap();
            }
            // Without its key, the certificate is good for another 80 days.
            assert_eq!(again().is_ok(), damaged == "admission-ca.key");
            assert_eq!(std::fs::read(&file).ok().as_deref(), content, "{damaged}");
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        assert!(is_trusted(&known, &start(0)), "{damaged}");
    }
}

#[test]
fn a_key_of_the_authority_that_is_gone_is_told_while_there_is_time() {
    let (_guard, folder) = folder();
    let start = |days| start_at(&folder, own_names(), off(&folder), None, behind(days).0);
    let known = start(100).authority.clone();
    std::fs::remove_file(folder.join("admission-ca.key")).unwrap();
    let told = told(&folder, 0);
    let problem = told["problem"].as_str().unwrap();
    assert!(problem.contains("register the webhook again"), "{problem}");
    let now = start(0);
    assert!(is_trusted(&known, &now), "by the last certificate");
    let both = now.authority.clone();
    assert!(both.starts_with(&known) && both != known);
    drop(now);
    // Once that ends, the other one signs.
    let old = std::fs::read(folder.join("admission.crt")).unwrap();
    drop(start(-263));
    assert_eq!(std::fs::read(folder.join("admission.crt")).unwrap(), old);
    drop(start(-265));
    assert_ne!(std::fs::read(folder.join("admission.crt")).unwrap(), old);
}

#[test]
fn the_server_is_told_when_the_certificate_ends_and_from_when_on_it_is_late() {
    let (_guard, folder) = folder();
    let told = told(&folder, 100);
    for (field, made_for) in [
        ("until", 365.0),
        ("late_from", 365.0 - 14.0),
        ("authority_until", 3650.0),
        ("authority_late_from", 3650.0 - 60.0),
    ] {
        let days = days_until(&told[field]) + 100.0;
        // Certificates end with a day.
        assert!(days > made_for - 1.1 && days <= made_for, "{field}: {days}");
    }
    assert_eq!(told["problem"], Value::Null);
    assert_eq!(told["refusals"], json!([]));
}

#[test]
fn a_certificate_that_ends_with_its_authority_is_late_as_that_is() {
    let (_guard, folder) = folder();
    // Ten years less half a one ago.
    drop(told(&folder, 10 * 365 - 180));
    let told = told(&folder, 0);
    assert_eq!(told["until"], told["authority_until"]);
    assert_eq!(told["late_from"], Value::Null);
    let days = days_until(&told["authority_late_from"]);
    assert!(days > 118.0 && days <= 120.0, "{days}");
}
