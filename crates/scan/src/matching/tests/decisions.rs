//! What a distribution has decided about a vulnerability, beyond the versions.

use seareeve_model::SuppressedBy;

use super::*;

fn debian(urgency: &str) -> Value {
    let mut record = record("DEBIAN-CVE-2020-1", "Debian:12", since_ever());
    record["upstream"] = json!(["CVE-2020-1"]);
    record["affected"][0]["ecosystem_specific"] = json!({"urgency": urgency});
    record
}

#[test]
fn what_the_distribution_calls_unimportant_does_not_count() {
    let found = findings(&[debian("unimportant")], "Debian:12", "1").remove(0);
    let suppressed = found.suppressed.unwrap();
    assert_eq!(suppressed.by, SuppressedBy::Distribution);
    assert_eq!(
        suppressed.reason,
        "Debian says that it has no security impact in its package"
    );
    assert_eq!(suppressed.source, "DEBIAN-CVE-2020-1");
    assert_eq!(found.severity, Severity::Low);
    // An advisory of the same vulnerability repeats no urgency; one that rates it does count.
    let events = json!([{"introduced": "0"}, {"fixed": "2"}]);
    let mut advisory = with(
        record("DSA-1", "Debian:12", events),
        "upstream",
        json!(["CVE-2020-1"]),
    );
    let both = findings(&[debian("unimportant"), advisory.clone()], "Debian:12", "1");
    assert!(both[0].suppressed.is_some());
    advisory["affected"][0]["ecosystem_specific"] = json!({"urgency": "high"});
    let both = findings(&[debian("unimportant"), advisory], "Debian:12", "1");
    assert_eq!(both[0].suppressed, None);
    assert_eq!(
        findings(&[debian("low")], "Debian:12", "1")[0].suppressed,
        None
    );
    // A language has no such word.
    let mut python = record("X-1", "PyPI", since_ever());
    python["affected"][0]["ecosystem_specific"] = json!({"urgency": "unimportant"});
    assert_eq!(findings(&[python], "PyPI", "1")[0].suppressed, None);
}

#[test]
fn decisions_become_statuses_where_there_is_no_fix() {
    let status = |record: Value| {
        let found = findings(&[record], "Debian:12", "1").remove(0);
        (found.status, found.remediation)
    };
    let decided = |key: &str, word: &str| {
        let mut record = debian("not yet assigned");
        record["affected"][0]["database_specific"] = json!({key: word});
        status(record)
    };
    assert_eq!(decided("status", "postponed").0, FindingStatus::FixDeferred);
    assert_eq!(decided("status", "no-dsa").0, FindingStatus::FixDeferred);
    let (ignored, remedy) = decided("fix_state", "Will not fix");
    assert_eq!(ignored, FindingStatus::WillNotFix);
    assert!(remedy.starts_with("the distribution will not fix it"));
    assert_eq!(decided("status", "open").0, FindingStatus::Affected);
    assert_eq!(status(debian("end-of-life")).0, FindingStatus::EndOfLife);
    let mut fixed = debian("postponed");
    fixed["affected"][0]["ranges"][0]["events"] = json!([{"introduced": "0"}, {"fixed": "2"}]);
    assert_eq!(status(fixed).0, FindingStatus::Fixed);
}

#[test]
fn a_distribution_that_was_never_affected_is_believed() {
    let with_upstream = |record| with(record, "upstream", json!(["CVE-2020-1"]));
    let never = json!([{"introduced": "0"}, {"fixed": "0"}]);
    let denial = with_upstream(record("DEBIAN-CVE-2020-1", "Debian:12", never));
    let advisory = with_upstream(record("DSA-1", "Debian", since_ever()));
    let other = with(
        record("DSA-2", "Debian:12", since_ever()),
        "upstream",
        json!(["CVE-2020-2"]),
    );
    assert_eq!(
        findings(std::slice::from_ref(&advisory), "Debian:12", "1").len(),
        1
    );
    let found = findings(&[denial, advisory, other], "Debian:12", "1");
    assert_eq!(ids(&found), ["CVE-2020-2"]);
}

#[test]
fn the_distributions_own_word_is_found_where_each_writes_it() {
    let vector =
        json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]);
    let plain = || with(debian("not yet assigned"), "severity", vector.clone());
    let severity = |record: Value| {
        let found = findings(&[record], "Debian:12", "1");
        (found[0].severity_source, found[0].severity)
    };
    use SeveritySource::{CvssV3, Distribution};
    assert_eq!(severity(plain()), (CvssV3, Severity::Critical));
    assert_eq!(
        severity(with(
            plain(),
            "summary",
            json!("Moderate: a security update")
        )),
        (Distribution, Severity::Medium)
    );
    assert_eq!(
        severity(with(
            plain(),
            "database_specific",
            json!({"severity": "Important"})
        )),
        (Distribution, Severity::High)
    );
    assert_eq!(
        severity(debian("medium**")),
        (Distribution, Severity::Medium)
    );
}
