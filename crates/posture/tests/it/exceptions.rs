//! What people say beside the facts: exceptions and attestations.

use seareeve_model::CollectionStatus;
use seareeve_posture::{
    Assessment, Attestation, Exceptions, Library, Outcome, Statements, assess, assess_all,
};

use crate::support::{asset, missing, now, number, things, yaml};

fn library() -> Library {
    let mut library = Library::default();
    let benchmark = r#"
id: house
version: "1"
title: House rules
asset: docker-host
controls:
  - {id: "1", title: things, checks: [thing.wrong]}
  - {id: "2", title: people, ask: "Are they well?", max_age_days: 30}
"#;
    let errors = library.add(
        [("thing.wrong.yaml".to_owned(), yaml("fail_if: it.n > 2"))],
        [("house-1.yaml".to_owned(), benchmark.to_owned())],
    );
    assert!(errors.is_empty(), "{errors:?}");
    library
}

fn outcomes(assessment: &Assessment<'_>) -> Vec<(Outcome, Option<String>)> {
    let controls = assessment.controls.iter();
    controls
        .map(|control| (control.outcome, control.reason.clone()))
        .collect()
}

fn with_exceptions(yaml: &str) -> Statements {
    Statements {
        exceptions: Exceptions::parse(yaml).unwrap(),
        ..Statements::default()
    }
}

#[test]
fn an_exception_covers_what_it_names_until_it_ends() {
    let library = library();
    let benchmark = library.benchmark("house", None).unwrap();
    let snapshot = asset(&[("thing", things(&[1, 3, 4].map(number)))]);
    let first = |yaml: &str| {
        let statements = with_exceptions(yaml);
        assess(&library, benchmark, &snapshot, &statements, now()).controls[0].outcome
    };
    let cases = [
        ("exceptions: []", Outcome::Fail),
        (
            "exceptions: [{check: thing.wrong, reason: r}]",
            Outcome::Excepted,
        ),
        (
            "exceptions: [{check: thing.other, reason: r}]",
            Outcome::Fail,
        ),
        (
            "exceptions: [{check: thing.wrong, object: thing 2, reason: r}]",
            Outcome::Fail,
        ),
        (
            "exceptions: [{check: thing.wrong, object: 'thing *', reason: r}]",
            Outcome::Excepted,
        ),
        (
            "exceptions: [{check: thing.wrong, asset: 'build-*', reason: r}]",
            Outcome::Excepted,
        ),
        (
            "exceptions: [{check: thing.wrong, asset: 'web-*', reason: r}]",
            Outcome::Fail,
        ),
        (
            "exceptions: [{check: thing.wrong, benchmark: house, reason: r}]",
            Outcome::Excepted,
        ),
        (
            "exceptions: [{check: thing.wrong, benchmark: other, reason: r}]",
            Outcome::Fail,
        ),
        (
            "exceptions: [{check: thing.wrong, reason: r, until: 2026-06-01T00:00:00Z}]",
            Outcome::Excepted,
        ),
        (
            "exceptions: [{check: thing.wrong, reason: r, until: 2025-12-31T00:00:00Z}]",
            Outcome::Fail,
        ),
    ];
    for (yaml, outcome) in cases {
        assert_eq!(first(yaml), outcome, "{yaml}");
    }
    assert!(Exceptions::parse("exceptions: [{check: thing.wrong}]").is_err());
}

#[test]
fn an_exception_leaves_its_reason_and_what_was_found() {
    let library = library();
    let benchmark = library.benchmark("house", None).unwrap();
    let snapshot = asset(&[("thing", things(&[number(3)]))]);
    let statements = with_exceptions("exceptions: [{check: thing.wrong, reason: old hands}]");
    let assessment = assess(&library, benchmark, &snapshot, &statements, now());
    let object = &assessment.controls[0].checks[0].objects[0];
    assert_eq!(object.reason.as_deref(), Some("old hands"));
    assert_eq!(object.items.len(), 1);
}

#[test]
fn an_exception_does_not_cover_what_could_not_be_collected() {
    let library = library();
    let benchmark = library.benchmark("house", None).unwrap();
    let statements = with_exceptions("exceptions: [{check: thing.wrong, reason: r}]");
    let snapshot = asset(&[("thing", missing(CollectionStatus::Denied))]);
    let assessment = assess(&library, benchmark, &snapshot, &statements, now());
    assert_eq!(assessment.controls[0].outcome, Outcome::NotCollected);

    let mut partly = things(&[number(3)]);
    partly.status = CollectionStatus::Error;
    let snapshot = asset(&[("thing", partly)]);
    let assessment = assess(&library, benchmark, &snapshot, &statements, now());
    assert_eq!(assessment.controls[0].outcome, Outcome::NotCollected);
}

#[test]
fn a_persons_answer_holds_for_its_days() {
    let library = library();
    let benchmark = library.benchmark("house", None).unwrap();
    let snapshot = asset(&[("thing", things(&[number(1)]))]);
    let attested_until = |at: &str, until: Option<&str>, outcome| {
        let statements = Statements {
            attestations: vec![Attestation {
                benchmark: "house".to_owned(),
                version: "1".to_owned(),
                control: "2".to_owned(),
                outcome,
                by: "ann".to_owned(),
                reason: "I asked".to_owned(),
                at: at.parse().unwrap(),
                until: until.map(|until| until.parse().unwrap()),
            }],
            ..Statements::default()
        };
        let assessment = assess(&library, benchmark, &snapshot, &statements, now());
        outcomes(&assessment)[1].clone()
    };
    let attested = |at: &str, outcome| attested_until(at, None, outcome);
    let open = assess(
        &library,
        benchmark,
        &snapshot,
        &Statements::default(),
        now(),
    );
    assert_eq!(
        outcomes(&open)[1],
        (Outcome::NeedsReview, Some("Are they well?".to_owned()))
    );
    assert_eq!(
        attested("2025-12-20T12:00:00Z", Outcome::Pass),
        (Outcome::Pass, Some("ann, 2025-12-20: I asked".to_owned()))
    );
    assert_eq!(
        attested("2025-12-20T12:00:00Z", Outcome::Fail).0,
        Outcome::Fail
    );
    assert_eq!(
        attested("2025-11-01T12:00:00Z", Outcome::Pass),
        (
            Outcome::NeedsReview,
            Some("what ann said on 2025-11-01 is older than 30 days".to_owned())
        )
    );
    // Whoever answers may say that it holds for less.
    let until = |until| attested_until("2025-12-20T12:00:00Z", Some(until), Outcome::Pass);
    assert_eq!(until("2026-01-01T00:00:01Z").0, Outcome::Pass);
    assert_eq!(
        until("2026-01-01T00:00:00Z"),
        (
            Outcome::NeedsReview,
            Some("what ann said on 2025-12-20 held until 2026-01-01".to_owned())
        )
    );
}

/// Editions share what their checks say of an asset, but not what people said of one benchmark.
#[test]
fn benchmarks_that_are_judged_together_have_their_own_exceptions() {
    let mut library = library();
    let other = r#"
id: garden
version: "1"
title: Garden rules
asset: docker-host
controls:
  - {id: "1", title: things, checks: [thing.wrong]}
"#;
    let errors = library.add([], [("garden-1.yaml".to_owned(), other.to_owned())]);
    assert!(errors.is_empty(), "{errors:?}");
    let snapshot = asset(&[("thing", things(&[1, 3, 4].map(number)))]);
    let statements =
        with_exceptions("exceptions: [{check: thing.wrong, benchmark: garden, reason: r}]");
    let together = assess_all(
        &library,
        library.benchmarks(),
        &snapshot,
        &statements,
        now(),
    );
    let alone: Vec<_> = library
        .benchmarks()
        .map(|benchmark| assess(&library, benchmark, &snapshot, &statements, now()))
        .collect();
    assert_eq!(together, alone);
    let first = together
        .iter()
        .map(|one| (one.benchmark.id.as_str(), one.controls[0].outcome));
    assert_eq!(
        first.collect::<Vec<_>>(),
        [("garden", Outcome::Excepted), ("house", Outcome::Fail)]
    );
}
