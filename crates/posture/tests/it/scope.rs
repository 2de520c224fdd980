//! Assets, and parts of them, that a benchmark does not concern.

use seareeve_model::CollectionStatus;
use seareeve_posture::{Library, Outcome, Statements, assess};

use crate::support::{asset, missing, now, number, things, yaml};

fn library(left_out_by: &str) -> (Library, Vec<String>) {
    let mut library = Library::default();
    let benchmark = format!(
        r#"
id: house
version: "1"
title: House rules
asset: docker-host
left_out_by: [{left_out_by}]
controls:
  - {{id: "1", title: things, checks: [thing.wrong]}}
  - {{id: "2", title: people, ask: "Are they well?"}}
  - {{id: "3", title: both, ask: "Are they all needed?", evidence: [thing.wrong]}}
"#
    );
    let foreign = yaml("fail_if: it.n > 1")
        .replace("thing.wrong", "owner.foreign")
        .replace("on: thing", "on: owner");
    let errors = library.add(
        [
            ("thing.wrong.yaml".to_owned(), yaml("fail_if: it.n > 2")),
            ("owner.foreign.yaml".to_owned(), foreign),
        ],
        [("house-1.yaml".to_owned(), benchmark)],
    );
    let told = errors.iter().map(|error| format!("{error:?}")).collect();
    (library, told)
}

#[test]
fn an_asset_that_somebody_else_looks_after_is_left_out_as_a_whole() {
    let (library, errors) = library("owner.foreign");
    assert_eq!(errors, Vec::<String>::new());
    let benchmark = library.benchmark("house", None).unwrap();
    let said = |owner| {
        let snapshot = asset(&[
            ("thing", things(&[number(3)])),
            ("owner", things(&[number(owner)])),
        ]);
        let assessment = assess(
            &library,
            benchmark,
            &snapshot,
            &Statements::default(),
            now(),
        );
        let outcomes: Vec<Outcome> = assessment
            .controls
            .iter()
            .map(|control| control.outcome)
            .collect();
        let reasons: Vec<Option<String>> = assessment
            .controls
            .iter()
            .map(|control| control.reason.clone())
            .collect();
        (assessment.left_out, outcomes, reasons)
    };
    let (left_out, outcomes, reasons) = said(2);
    assert_eq!(left_out.as_deref(), Some("m thing 1"));
    assert_eq!(outcomes, [Outcome::NotApplicable; 3]);
    assert!(
        reasons.iter().all(|reason| *reason == left_out),
        "{reasons:?}"
    );
    let (left_out, outcomes, _) = said(1);
    assert_eq!(left_out, None);
    assert_eq!(
        outcomes,
        [Outcome::Fail, Outcome::NeedsReview, Outcome::NeedsReview]
    );
}

#[test]
fn what_leaves_out_has_to_be_a_check() {
    let (library, errors) = library("owner.gone");
    assert!(library.benchmark("house", None).is_none());
    assert!(errors.concat().contains("left_out_by"), "{errors:?}");
}

#[test]
fn nobody_is_asked_about_what_is_not_there() {
    let (library, _) = library("");
    let benchmark = library.benchmark("house", None).unwrap();
    let said = |status| {
        let snapshot = asset(&[("thing", missing(status))]);
        let assessment = assess(
            &library,
            benchmark,
            &snapshot,
            &Statements::default(),
            now(),
        );
        let control = assessment.controls.into_iter().next_back().unwrap();
        (control.outcome, control.reason.unwrap())
    };
    assert_eq!(
        said(CollectionStatus::Absent),
        (Outcome::NotApplicable, "the door is locked".to_owned())
    );
    // What could not be seen may be there.
    assert_eq!(
        said(CollectionStatus::Denied),
        (Outcome::NeedsReview, "Are they all needed?".to_owned())
    );
}
