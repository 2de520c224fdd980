//! Benchmarks over assets: counts, objects, evidence and files.

use seareeve_api::{ComplianceScope, NewAttestation, NewEvidence};

use crate::hosts::{admin, facts, joined, refusal, send, until};
use crate::support::{folder, start};

#[test]
fn a_benchmark_is_looked_into_down_to_the_object() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let newest = ComplianceScope::default();
    let empty = client.compliance("cis-docker", &newest).unwrap();
    assert_eq!((empty.assets, empty.dated, empty.counts.fail), (0, None, 0));
    let nothing = client.compliance_pdf("cis-docker", &newest).unwrap();
    assert!(String::from_utf8_lossy(&nothing).contains("No control fails."));

    let host = send(&joined(&server, &client), &facts("build-1", true));
    let other = send(
        &joined(&server, &client),
        &facts("build-(2)\u{65e5}", false),
    );
    let compliance = until(
        || client.compliance("cis-docker", &newest).unwrap(),
        |all| all.assets == 2,
    );
    let controls = || {
        compliance
            .sections
            .iter()
            .flat_map(|section| &section.controls)
    };
    assert_eq!(controls().count(), 118);
    let all = [
        compliance.counts.pass,
        compliance.counts.fail,
        compliance.counts.not_applicable,
        compliance.counts.not_collected,
        compliance.counts.error,
        compliance.counts.needs_review,
        compliance.counts.excepted,
    ];
    assert_eq!(all.iter().sum::<u32>(), 2 * 118);
    let privileged = controls()
        .find(|one| one.check.as_deref() == Some("docker.container.privileged"))
        .unwrap();
    assert_eq!((privileged.counts.fail, privileged.counts.pass), (1, 1));
    let page = client
        .compliance_control("cis-docker", &privileged.id, &newest, None)
        .unwrap();
    let told: Vec<_> = page
        .assets
        .iter()
        .map(|one| (one.name.as_str(), one.status.as_str()))
        .collect();
    assert_eq!(told, [("build-(2)\u{65e5}", "pass"), ("build-1", "fail")]);
    let objects = client
        .compliance_objects("cis-docker", &privileged.id, host)
        .unwrap();
    assert_eq!(
        (objects.failed, objects.objects[0].name.as_str()),
        (1, "web")
    );
    assert_eq!(objects.objects[0].status, "fail");
    let one = ComplianceScope {
        asset: Some(other),
        ..ComplianceScope::default()
    };
    assert_eq!(client.compliance("cis-docker", &one).unwrap().assets, 1);
    let benchmarks = client.benchmarks().unwrap().benchmarks;
    let docker = benchmarks
        .iter()
        .find(|one| one.id == "cis-docker")
        .unwrap();
    assert!(docker.built_in);
    let edition = &docker.editions[0];
    assert_eq!(
        (edition.version.as_str(), edition.controls, edition.assets),
        ("1.8.0", 118, 2)
    );
    assert_eq!(edition.counts.as_ref(), Some(&compliance.counts));
    assert_eq!(docker.editions[1].counts, None);

    // A person answers, with a text that it rests on.
    let asked = controls().find(|one| one.check.is_none() && one.counts.needs_review == 2);
    let asked = asked.unwrap();
    let answer = NewAttestation {
        host,
        benchmark: "cis-docker".to_owned(),
        version: "1.8.0".to_owned(),
        control: asked.id.clone(),
        status: "pass".to_owned(),
        reason: "see the minutes".to_owned(),
        until: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        evidence: Some(NewEvidence {
            name: "minutes.txt".to_owned(),
            text: "<script>alert(1)</script>\n".to_owned(),
        }),
    };
    let given = client.create_attestation(&answer).unwrap();
    assert_eq!(given.evidence_name.as_deref(), Some("minutes.txt"));
    if asked.max_age_days.is_some() {
        assert!(
            given.expires < answer.until,
            "the control's own end comes first"
        );
    }
    let text = client.attestation_evidence(given.id).unwrap();
    assert_eq!(text, "<script>alert(1)</script>\n");
    let again = until(
        || client.compliance("cis-docker", &newest).unwrap(),
        |all| all.counts.needs_review < compliance.counts.needs_review,
    );
    assert_eq!(again.counts.pass, compliance.counts.pass + 1);
    let large = NewAttestation {
        evidence: Some(NewEvidence {
            name: "large.txt".to_owned(),
            text: "x".repeat(65_537),
        }),
        ..answer.clone()
    };
    assert_eq!(refusal(client.create_attestation(&large)), "bad_request");
    let over = NewAttestation {
        until: Some(jiff::Timestamp::UNIX_EPOCH),
        ..answer
    };
    assert_eq!(refusal(client.create_attestation(&over)), "bad_request");

    let csv = client.compliance_csv("cis-docker", &newest).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * 118);
    let pdf = client.compliance_pdf("cis-docker", &newest).unwrap();
    assert_eq!(pdf, client.compliance_pdf("cis-docker", &newest).unwrap());
    let text = String::from_utf8_lossy(&pdf);
    for wanted in [
        "(Failed controls)",
        "(web: ",
        "build-1, since ",
        "(All controls)",
        "(Page 2 of ",
        "content ",
        "2030-01-01",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    let name = "build-\\(2\\){U+65E5}";
    let of_one = client.compliance_pdf("cis-docker", &one).unwrap();
    let of_one = String::from_utf8_lossy(&of_one);
    assert!(
        of_one.contains("{U+65E5}") && !of_one.contains("build-1,"),
        "{name}"
    );
    assert_eq!(refusal(client.compliance("no-such", &newest)), "not_found");
    assert_eq!(
        refusal(client.compliance_control("cis-docker", "99", &newest, None)),
        "not_found"
    );
}
