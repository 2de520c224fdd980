//! Policies: what can be said in them, and what is refused.

use seareeve_admission::{Mode, PolicyFile};

use crate::support::policy;

#[test]
fn the_smallest_policy_records_and_refuses_nothing() {
    let policy = policy("").unwrap();
    let modes: Vec<Mode> = policy.modes("shop").map(|(_, mode)| mode).collect();
    assert!(modes.len() > 10 && modes.iter().all(|mode| *mode == Mode::Audit));
    assert!(
        policy
            .modes("kube-system")
            .all(|(_, mode)| mode == Mode::Off)
    );
    // What says nothing without parameters, or is a preview, waits until somebody asks for it.
    let ids: Vec<&str> = policy.modes("shop").map(|(id, _)| id).collect();
    for off in [
        "kubernetes-trusted-images",
        "kubernetes-container-ports",
        "kubernetes-vulnerable-images",
    ] {
        assert!(!ids.contains(&off), "{off}");
    }
}

#[test]
fn whoever_gives_parameters_wants_the_recommendation() {
    let policy = policy(
        "recommendations: {kubernetes-container-ports: {parameters: {allowed_ports: ['80']}}}",
    )
    .unwrap();
    assert!(
        policy
            .modes("shop")
            .any(|(id, mode)| id == "kubernetes-container-ports" && mode == Mode::Audit)
    );
}

#[test]
fn whoever_wants_to_can_look_at_the_system() {
    let policy =
        policy("recommendations: {kubernetes-privileged: {mode: deny, excluded_namespaces: []}}")
            .unwrap();
    assert!(
        policy
            .modes("kube-system")
            .any(|(id, mode)| id == "kubernetes-privileged" && mode == Mode::Deny)
    );
}

#[test]
fn what_makes_no_sense_is_refused_all_at_once() {
    let error = policy(
        "excluded_images: ['']\nrecommendations:\n  kubernetes-privilegde: {mode: deny}\n  kubernetes-version: {mode: deny}\n  \
         kubernetes-host-network: {parameters: {min_port: '1', first: 2}}\n  kubernetes-privileged: {unscanned: warn}\n",
    );
    insta::assert_snapshot!(error.unwrap_err().replace("; ", "\n"), @"
    `recommendations.kubernetes-host-network.parameters.first`: it has allow_host_network, max_port, min_port
    `recommendations.kubernetes-host-network.parameters.min_port`: a whole number is wanted
    `recommendations.kubernetes-privilegde`: no recommendation that admission can enforce has this id
    `recommendations.kubernetes-privileged.unscanned`: it is not about what scans of images find
    `recommendations.kubernetes-version`: no recommendation that admission can enforce has this id
    `excluded_images`: a name has 1 to 512 characters
    ");
}

#[test]
fn words_that_are_none_of_ours_are_refused() {
    for (text, word) in [
        ("mode: refuse", "refuse"),
        ("modus: deny", "modus"),
        (
            "recommendations: {kubernetes-privileged: {mod: deny}}",
            "mod",
        ),
        ("recommendations: [1]", "invalid type"),
        ("a: &a [*a]", ""),
    ] {
        let error = policy(text).unwrap_err();
        assert!(error.contains(word), "{text}: {error}");
    }
    assert!(PolicyFile::parse(&"# x\n".repeat(1 << 20)).is_err());
    assert!(PolicyFile::parse("schema: seareeve.admission/1").is_ok());
}

#[test]
fn a_policy_says_its_version() {
    let file = PolicyFile::parse("schema: seareeve.admission/9").unwrap();
    let error = seareeve_admission::Policy::new(
        file,
        &seareeve_posture::Library::builtin(),
        &seareeve_posture::Catalogue::builtin(),
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("seareeve.admission/1 is known here")
    );
}
