//! What is said where facts are there, where they are not, and where a check goes wrong.

use seareeve_model::CollectionStatus;
use seareeve_posture::{Outcome, judge, judge_each};
use serde_json::{Map, json};

use crate::support::{asset, check, judged, missing, now, number, things, words};

#[test]
fn each_object_gets_its_verdict_and_all_together_one() {
    let check = check(
        "when: it.n != 9\nunless: nines are exempt\nfail_for: 'it.n > 2 ? [it.n, it.n + 1] : []'\nreview_if: it.n == 2",
    );
    let snapshot = asset(&[("thing", things(&[1, 2, 3, 9].map(number)))]);
    let verdict = judged(&check, &snapshot);
    assert_eq!(
        words(&verdict),
        [
            "fail",
            "pass",
            "needs_review",
            "fail",
            "not_applicable: nines are exempt"
        ]
    );
    let items = &verdict.objects[2].items;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].message, "m thing 3");
    assert_eq!(items[1].evidence, json!(4));
}

#[test]
fn what_could_not_be_collected_never_passes() {
    let check = check("fail_if: it.n > 2");
    let cases = [
        (None, "not_collected: thing was not collected"),
        (
            Some(missing(CollectionStatus::Denied)),
            "not_collected: thing may not be read: the door is locked",
        ),
        (
            Some(missing(CollectionStatus::Unsupported)),
            "not_collected: thing cannot be had here: the door is locked",
        ),
        (
            Some(missing(CollectionStatus::Error)),
            "not_collected: thing could not be read: the door is locked",
        ),
        (
            Some(missing(CollectionStatus::Absent)),
            "not_applicable: the door is locked",
        ),
        (Some(things(&[])), "not_applicable: there is none"),
    ];
    for (collection, wanted) in cases {
        let facts: Vec<_> = collection
            .into_iter()
            .map(|facts| ("thing", facts))
            .collect();
        assert_eq!(words(&judged(&check, &asset(&facts))), [wanted]);
    }
}

#[test]
fn what_it_takes_is_said_where_nobody_asked_for_it() {
    let own = check("takes: a sensor\nfail_if: it.n > 2");
    let other = check("takes: a scan\nneeds: {scan: thing.scan}\nfail_if: scan.n > 2");
    assert_eq!(
        words(&judged(&own, &asset(&[]))),
        ["not_collected: thing was not collected: that takes a sensor"]
    );
    let things = [("thing", things(&[json!({"n": 1})]))];
    assert_eq!(
        words(&judged(&other, &asset(&things)))[1],
        "not_collected: thing.scan was not collected: that takes a scan"
    );
}

#[test]
fn a_part_that_is_missing_keeps_the_rest_from_passing_as_all() {
    let check = check("fail_if: it.n > 2");
    let mut partly = things(&[number(1)]);
    partly.status = CollectionStatus::Error;
    partly.detail = Some("one of two".to_owned());
    let verdict = judged(&check, &asset(&[("thing", partly.clone())]));
    assert_eq!(
        words(&verdict),
        ["not_collected: thing could not be read: one of two", "pass"]
    );
    // What is wrong with what is there is wrong all the same.
    partly.items[0].data = number(3);
    let verdict = judged(&check, &asset(&[("thing", partly)]));
    assert_eq!(verdict.outcome, Outcome::Fail);
}

#[test]
fn where_there_is_no_object_the_check_says_what_that_means() {
    for (absent, outcome) in [("fail", Outcome::Fail), ("pass", Outcome::Pass)] {
        let check = check(&format!("absent: {absent}\nfail_if: it.n > 2"));
        assert_eq!(
            judged(&check, &asset(&[("thing", things(&[]))])).outcome,
            outcome
        );
        // Only where it is known that there is none.
        let unseen = asset(&[("thing", missing(CollectionStatus::Denied))]);
        assert_eq!(judged(&check, &unseen).outcome, Outcome::NotCollected);
    }
}

#[test]
fn a_check_that_goes_wrong_is_an_error_for_the_object_alone() {
    let check = check("fail_if: it.n > 2");
    let snapshot = asset(&[("thing", things(&[json!({"n": []}), number(1)]))]);
    let said = words(&judged(&check, &snapshot));
    assert_eq!(said[0], "error");
    assert!(said[1].starts_with("error: `fail_if`: "), "{}", said[1]);
    assert_eq!(said[2], "pass");
}

#[test]
fn what_a_fact_does_not_say_was_not_collected() {
    let check = check("fail_if: it.n > 2");
    let snapshot = asset(&[("thing", things(&[json!({}), number(1)]))]);
    assert_eq!(
        words(&judged(&check, &snapshot)),
        [
            "not_collected",
            "not_collected: the facts do not say `n`",
            "pass"
        ]
    );
}

#[test]
fn an_option_that_could_not_be_told_has_its_reason() {
    let own = check("fail_if: it.effective.icc.value");
    let other = check("needs: {daemon: thing.daemon}\nfail_if: daemon.effective.icc.value");
    let option = json!({"effective": {}, "unresolved": {"icc": "its file was changed since"}});
    let snapshot = asset(&[
        ("thing", things(std::slice::from_ref(&option))),
        ("thing.daemon", things(&[option])),
    ]);
    for check in [own, other] {
        assert_eq!(
            words(&judged(&check, &snapshot))[1],
            "not_collected: `icc` cannot be told: its file was changed since"
        );
    }
}

#[test]
fn objects_that_a_check_is_not_about_are_left_out() {
    let check = check("of: it.n > 1\nabsent: fail\nfail_if: it.n > 2");
    let some = asset(&[("thing", things(&[1, 2, 3].map(number)))]);
    assert_eq!(words(&judged(&check, &some)), ["fail", "pass", "fail"]);
    let none = asset(&[("thing", things(&[number(1)]))]);
    assert_eq!(words(&judged(&check, &none)), ["fail: there is none"]);
}

#[test]
fn other_facts_are_those_of_the_same_engine() {
    let check = check(
        "needs: {daemon: house.daemon, all: 'house.other[]', swarm: house.swarm?}\nfail_if: daemon.bad || size(all) > 1 || swarm.?bad.orValue(false)",
    );
    let mut objects = things(&[json!({"engine": "id1"}), json!({"engine": "id2"})]);
    let daemons = things(&[
        json!({"bad": false, "engine": "docker"}),
        json!({"bad": true, "engine": "podman"}),
    ]);
    let others = things(&[json!({"engine": "id1"}), json!({"engine": "id2"})]);
    let mut facts = vec![
        ("thing", objects.clone()),
        ("house.daemon", daemons.clone()),
        ("house.other", others),
        ("house.swarm", missing(CollectionStatus::Absent)),
    ];
    assert_eq!(
        words(&judged(&check, &asset(&facts))),
        ["fail", "pass", "fail"]
    );

    // An object that does not say its engine, where there are two.
    objects.items[0].data = json!({});
    facts[0].1 = objects;
    let said = words(&judged(&check, &asset(&facts)));
    assert!(
        said[1].starts_with("error: there are several house.daemon"),
        "{}",
        said[1]
    );

    // One that can do without is judged by itself: it is the whole machine's.
    let lenient =
        self::check("needs: {daemon: house.daemon?}\nfail_if: daemon.?bad.orValue(false)");
    assert_eq!(
        words(&judged(&lenient, &asset(&facts))),
        ["fail", "pass", "fail"]
    );

    facts.remove(1);
    let said = words(&judged(&check, &asset(&facts)));
    assert_eq!(said[1], "not_collected: house.daemon was not collected");
}

#[test]
fn parameters_are_the_checks_own_until_somebody_sets_others() {
    let check = check("params: {most: 2, unit: x}\nfail_if: it.n > params.most");
    let snapshot = asset(&[("thing", things(&[number(3)]))]);
    assert_eq!(judged(&check, &snapshot).outcome, Outcome::Fail);
    let mut params = Map::new();
    params.insert("most".to_owned(), json!(3));
    assert_eq!(
        judge(&check, &params, &snapshot, now()).outcome,
        Outcome::Pass
    );
}

#[test]
fn the_same_facts_give_the_same_verdicts() {
    let check = check("fail_for: it.list.filter(x, x > 2)");
    let snapshot = asset(&[("thing", things(&[json!({"list": [1, 3, 5]})]))]);
    assert_eq!(judged(&check, &snapshot), judged(&check, &snapshot));
}

#[test]
fn no_more_items_are_kept_than_a_person_reads() {
    let check = check("fail_for: it.list");
    let list: Vec<i32> = (0..250).collect();
    let snapshot = asset(&[("thing", things(&[json!({ "list": list })]))]);
    let verdict = judged(&check, &snapshot);
    assert_eq!(
        (
            verdict.objects[0].items.len(),
            verdict.objects[0].more_items
        ),
        (100, 150)
    );
}

/// What there is belongs to the evidence where nothing is wrong, too: as far as it says more than that something is.
#[test]
fn what_passes_says_what_there_is() {
    let actual = |rest: &str, n: i64| {
        let snapshot = asset(&[("thing", things(&[number(n)]))]);
        judged(&check(rest), &snapshot).objects[0].told()
    };
    let whole = "actual: 'n is {{it.n}}'\nfail_if: it.n > 2";
    assert_eq!(actual(whole, 1), "n is 1");
    assert_eq!(actual(whole, 3), "n is 3");
    // One that is the same for all says only what is wrong.
    assert_eq!(actual("actual: too much\nfail_if: it.n > 2", 1), "");
    // These are of what was found, of which there is nothing.
    assert_eq!(
        actual("actual: '{{f}}'\nfail_for: '[it.n].filter(n, n > 2)'", 1),
        ""
    );
    // What nobody needed to know for the verdict need not be there.
    assert_eq!(actual("actual: '{{it.m}}'\nfail_if: it.n > 2", 1), "");
}

/// A large asset is judged by several checks at once, which nobody may notice.
#[test]
fn many_checks_say_of_a_large_asset_what_each_says_of_it_in_their_order() {
    let numbers: Vec<_> = (0..1_500).map(|n| number(n % 7)).collect();
    let snapshot = asset(&[("thing", things(&numbers))]);
    let checks: Vec<_> = (0..40)
        .map(|limit| check(&format!("fail_if: it.n > {}", limit % 9)))
        .collect();
    let uses: Vec<_> = checks.iter().map(|check| (check, Map::new())).collect();
    let mut told = Vec::new();
    judge_each(&uses, &snapshot, now(), |_, verdict| told.push(verdict));
    let alone: Vec<_> = checks
        .iter()
        .map(|check| judged(check, &snapshot))
        .collect();
    assert!(told == alone);
    let failed = |at: usize| -> usize {
        let objects = told[at].objects.iter();
        objects
            .filter(|object| object.outcome == Outcome::Fail)
            .count()
    };
    // 1,500 are 214 times 7 and two more, a 0 and a 1.
    assert_eq!([0, 5, 6, 9].map(failed), [1_500 - 215, 214, 0, 1_500 - 215]);
}
