//! Images in use: who uses which stored image, what was found in all of them, and when that is to be looked at again.

use seareeve_model::{Finding, Inventory, Severity};
use seareeve_store::clusters::Key;
use seareeve_store::image_uses::{
    self, AssetImageFilter, Counted, Extent, ImageTally, Named, NewUse,
};
use seareeve_store::images::{self, Raising};
use seareeve_store::scans::{self, ScanSource};
use seareeve_store::{AssetId, SeverityCounts, Store, StoreError, jobs, matches, packages};

use crate::both::both;
use crate::posture::seen;
use crate::sample::{at, deb, digest, finding, fixed, inventory, path, save};

const WORKLOAD: &str = "kubernetes.workload";

fn named(identity: &str, keys: &[&str]) -> Named {
    Named {
        identity: identity.to_owned(),
        name: format!("name of {identity}"),
        digest: None,
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
    }
}

fn used(image: Named, object: &str, is_running: bool) -> NewUse {
    NewUse {
        image,
        object: key(object),
        name: object.to_owned(),
        sort: "Deployment".to_owned(),
        namespace: "shop".to_owned(),
        is_running,
    }
}

fn key(object: &str) -> Key {
    Key {
        kind: WORKLOAD.to_owned(),
        object: object.to_owned(),
    }
}

/// Judges an asset by its images as the server does.
async fn judge(store: &Store, asset: AssetId) -> Result<ImageTally, StoreError> {
    let mut tx = store.begin().await?;
    let changes = image_uses::changes(&mut tx, asset).await?.unwrap();
    image_uses::resolve(&mut tx, asset).await?;
    let tally = image_uses::count(&mut tx, asset, Counted::Running).await?;
    image_uses::judged(&mut tx, asset, changes, &tally, at(9)).await?;
    tx.commit().await?;
    Ok(tally)
}

async fn is_stale(store: &Store, asset: AssetId) -> Result<bool, StoreError> {
    Ok(image_uses::stale(store, None, 10).await?.contains(&asset))
}

/// Two packages, of which the second is shared by images with another number.
fn content(number: u8, reference: &str) -> (Inventory, Vec<Vec<Finding>>) {
    let own = deb(&format!("own-{number}"), "1");
    let mut inventory = inventory(number, &[reference], vec![own, deb("shared", "1")]);
    inventory.problems.clear();
    let findings = vec![
        vec![fixed(&format!("CVE-{number}"), Severity::Critical)],
        vec![finding("CVE-shared", Severity::High)],
    ];
    (inventory, findings)
}

#[test]
fn an_image_is_recognised_by_its_best_key_and_counted_once() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "a", 1, 0).await?;
        let by_digest = digest(1).to_string();
        let by_config = digest(51).to_string();
        let uses = [
            used(named("one", &[&by_digest]), "Deployment/shop/a", true),
            // The same image by its configuration, and an idle one by its tag.
            used(
                named("two", &["nothing", &by_config]),
                "Deployment/shop/b",
                true,
            ),
            used(
                named("three", &["r.example/c:1"]),
                "Deployment/shop/c",
                false,
            ),
            used(named("four", &["r.example/d:1"]), "Deployment/shop/d", true),
        ];
        let mut tx = store.begin().await?;
        assert!(image_uses::save(&mut tx, asset, Extent::Whole, &uses, at(1)).await?);
        assert!(!image_uses::save(&mut tx, asset, Extent::Whole, &uses, at(2)).await?);
        tx.commit().await?;
        let none = judge(store, asset).await?;
        assert_eq!((none.images, none.unscanned, none.affected), (3, 3, 0));
        assert!(!is_stale(store, asset).await?);

        // A scan of one of them is saved: whoever waits for it is to be judged again.
        let (first, findings) = content(1, "r.example/a:1");
        save(store, &first, &findings, 3).await?;
        assert!(is_stale(store, asset).await?);
        let tally = judge(store, asset).await?;
        let findings = SeverityCounts {
            critical: 1,
            high: 1,
            ..SeverityCounts::default()
        };
        let expected = ImageTally {
            images: 2,
            unscanned: 1,
            incomplete: 0,
            affected: 1,
            findings,
            fixable: 1,
        };
        assert_eq!(tally, expected);
        let holder = image_uses::holder(store, asset).await?.unwrap();
        assert_eq!(holder.tally, expected);

        let filter = AssetImageFilter::default();
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page =
                image_uses::images_of_asset(store, asset, &filter, after.as_ref(), 1).await?;
            names.extend(page.items.into_iter().map(|image| {
                let is_scanned = image.image.is_some();
                (image.name, image.findings.critical, is_scanned)
            }));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let names: Vec<_> = names
            .iter()
            .map(|(name, critical, scanned)| (name.as_str(), *critical, *scanned))
            .collect();
        assert_eq!(
            names,
            [
                ("name of two", 1, true),
                ("name of one", 1, true),
                ("name of three", 0, false),
                ("name of four", 0, false),
            ]
        );
        let unscanned = AssetImageFilter {
            unscanned_only: true,
            running_only: true,
            ..AssetImageFilter::default()
        };
        let page = image_uses::images_of_asset(store, asset, &unscanned, None, 9).await?;
        assert_eq!(page.items.len(), 1);
        let of_b =
            image_uses::images_of_object(store, asset, WORKLOAD, "Deployment/shop/b", 9).await?;
        assert_eq!((of_b.len(), of_b[0].findings.high), (1, 1));

        let image = images::id_by_digest(store, &digest(1)).await?.unwrap();
        let first_page = image_uses::uses_of(store, image, true, None, 1).await?;
        let rest = image_uses::uses_of(store, image, true, first_page.next.as_ref(), 9).await?;
        let objects: Vec<String> = first_page
            .items
            .into_iter()
            .chain(rest.items)
            .map(|used| format!("{} {} {}", used.asset_name, used.namespace, used.object))
            .collect();
        assert_eq!(
            objects,
            ["a shop Deployment/shop/a", "a shop Deployment/shop/b"]
        );
        assert_eq!(rest.next, None);
        Ok(())
    });
}

#[test]
fn whatever_changes_an_image_touches_those_that_use_it_and_no_others() {
    both(|fixture| async move {
        let store = &fixture.store;
        let (a, b) = (seen(store, "a", 1, 0).await?, seen(store, "b", 1, 0).await?);
        let (one, found_one) = content(1, "r.example/a:1");
        let (two, found_two) = content(2, "r.example/b:1");
        save(store, &one, &found_one, 1).await?;
        save(store, &two, &found_two, 1).await?;
        let mut tx = store.begin().await?;
        let of_a = [used(named("a", &["r.example/a:1"]), "x", true)];
        let of_b = [used(named("b", &["r.example/b:1"]), "y", true)];
        image_uses::save(&mut tx, a, Extent::Whole, &of_a, at(1)).await?;
        image_uses::save(&mut tx, b, Extent::Whole, &of_b, at(1)).await?;
        tx.commit().await?;
        for asset in [a, b] {
            assert_eq!(judge(store, asset).await?.affected, 1);
        }
        let stale = async || image_uses::stale(store, None, 10).await;
        assert_eq!(stale().await?, []);
        // The same scan again, and the same findings again, change nothing.
        save(store, &one, &found_one, 2).await?;
        assert_eq!(stale().await?, []);

        // Findings of a package that only one of them has.
        let all = packages::all(store, None, 100).await?;
        let own = all.iter().find(|(_, package)| package.name == "own-1");
        let update = [(own.unwrap().0, Vec::new())];
        let mut tx = store.begin().await?;
        matches::apply(&mut tx, &update, at(3)).await?;
        tx.commit().await?;
        assert_eq!(stale().await?, [a]);
        assert_eq!(judge(store, a).await?.findings.critical, 0);
        // Those of a package that both have.
        let shared = all.iter().find(|(_, package)| package.name == "shared");
        let update = [(shared.unwrap().0, Vec::new())];
        let mut tx = store.begin().await?;
        matches::apply(&mut tx, &update, at(3)).await?;
        tx.commit().await?;
        assert_eq!(stale().await?, [a, b]);
        assert_eq!(judge(store, a).await?.affected, 0);
        judge(store, b).await?;

        // The tag moves to another image; then that one is deleted.
        let (moved, findings) = content(3, "r.example/a:1");
        save(store, &moved, &findings, 4).await?;
        assert_eq!(
            stale().await?,
            [a, b],
            "it brought the findings of the shared package back"
        );
        assert_eq!(judge(store, a).await?.findings.critical, 1);
        judge(store, b).await?;
        let id = images::id_by_digest(store, &digest(3)).await?.unwrap();
        let mut tx = store.begin().await?;
        images::delete(&mut tx, id).await?;
        tx.commit().await?;
        assert_eq!(stale().await?, [a]);
        assert_eq!(judge(store, a).await?.unscanned, 1);
        // Days pass.
        let mut tx = store.begin().await?;
        assert_eq!(image_uses::touch_old(&mut tx, at(5)).await?, 0);
        assert_eq!(image_uses::touch_old(&mut tx, at(10)).await?, 2);
        assert!(image_uses::any_stale(&mut tx).await?);
        image_uses::pass_over(&mut tx, a).await?;
        tx.commit().await?;
        assert_eq!(stale().await?, [b]);
        Ok(())
    });
}

#[test]
fn objects_come_and_go_by_themselves() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "a", 1, 0).await?;
        let mut tx = store.begin().await?;
        let both_use = [
            used(named("x", &["x:1"]), "a", true),
            used(named("x", &["x:1"]), "b", true),
            used(named("y", &["y:1"]), "b", true),
        ];
        image_uses::save(&mut tx, asset, Extent::Whole, &both_use, at(1)).await?;
        // One of them is gone: what only it used goes with it.
        let gone = [key("b")];
        assert!(image_uses::save(&mut tx, asset, Extent::Objects(&gone), &[], at(2)).await?);
        assert!(!image_uses::save(&mut tx, asset, Extent::Objects(&gone), &[], at(2)).await?);
        tx.commit().await?;
        let all = AssetImageFilter::default();
        let page = image_uses::images_of_asset(store, asset, &all, None, 9).await?;
        let left: Vec<_> = page
            .items
            .iter()
            .map(|image| (image.name.as_str(), image.uses))
            .collect();
        assert_eq!(left, [("name of x", 1)]);
        // Names that are too long for an index, or not text, are cut and kept.
        let odd = used(
            named(&"é".repeat(2_000), &["a\0b", &"k".repeat(5_000)]),
            "\0",
            true,
        );
        let mut tx = store.begin().await?;
        let objects = [key("\0")];
        assert!(image_uses::save(&mut tx, asset, Extent::Objects(&objects), &[odd], at(3)).await?);
        tx.commit().await?;
        assert_eq!(judge(store, asset).await?.unscanned, 2);
        let asked = image_uses::unscanned(store, at(0), 0, 9).await?;
        assert_eq!(asked.len(), 2);
        let mut tx = store.begin().await?;
        image_uses::set_asked(&mut tx, asked.iter().map(|one| one.id), at(5)).await?;
        tx.commit().await?;
        assert_eq!(image_uses::unscanned(store, at(5), 0, 9).await?, []);
        assert_eq!(image_uses::unscanned(store, at(6), 0, 9).await?.len(), 2);
        Ok(())
    });
}

#[test]
fn a_registry_holds_what_references_say_is_there() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "registry", 1, 0).await?;
        let mut tx = store.begin().await?;
        image_uses::hold(&mut tx, asset, Some("r.example")).await?;
        tx.commit().await?;
        assert!(image_uses::has_registry(store, "r.example").await?);
        assert_eq!(judge(store, asset).await?.images, 0);
        for (number, reference) in [
            (1, "r.example/a:1"),
            (2, "r.example.org/b:1"),
            (3, "r.examplf/c:1"),
        ] {
            let (image, findings) = content(number, reference);
            save(store, &image, &findings, 1).await?;
        }
        assert!(is_stale(store, asset).await?);
        let tally = judge(store, asset).await?;
        assert_eq!(
            (tally.images, tally.affected, tally.findings.critical),
            (1, 1, 1)
        );
        let all = AssetImageFilter::default();
        let page = image_uses::images_of_asset(store, asset, &all, None, 9);
        let page = page.await?;
        assert_eq!(
            (page.items.len(), page.items[0].name.as_str()),
            (1, "r.example/a:1")
        );
        let image = images::id_by_digest(store, &digest(1)).await?.unwrap();
        let held = image_uses::held_in(store, image, 9).await?;
        assert_eq!((held.len(), held[0].asset), (1, asset));
        // One of another registry changes: it does not concern this one.
        let (other, _) = content(2, "r.example.org/b:1");
        save(
            store,
            &other,
            &[Vec::new(), vec![finding("CVE-shared", Severity::High)]],
            2,
        )
        .await?;
        assert!(!is_stale(store, asset).await?);
        Ok(())
    });
}

#[test]
fn what_scans_found_is_told_with_what_was_not_looked_for() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "a", 1, 0).await?;
        let (mut image, mut findings) = content(1, "r.example/a:1");
        image.packages.push(deb("bash", "5"));
        // Graver in another package, and not mended there.
        findings.push(vec![
            finding("CVE-1", Severity::Low),
            fixed("CVE-shared", Severity::High),
        ]);
        let saved = save(store, &image, &findings, 1).await?;
        let mut tx = store.begin().await?;
        let files = [Raising {
            path: path("bin/su"),
            mode: 0o4755,
            uid: 0,
            gid: 7,
        }];
        images::set_raising(&mut tx, saved.image, &files).await?;
        assert_eq!(
            images::set_raising(&mut tx, saved.image, &files)
                .await?
                .total(),
            0
        );
        let scan = scans::create(&mut tx, &ScanSource::Sbom("a".to_owned()), None, at(1)).await?;
        scans::start(&mut tx, scan, at(1)).await?;
        scans::finish(&mut tx, scan, saved.image, 0, at(7)).await?;
        let uses = [used(named("id", &["r.example/a:1"]), "x", true)];
        image_uses::save(&mut tx, asset, Extent::Whole, &uses, at(1)).await?;
        tx.commit().await?;
        judge(store, asset).await?;
        let facts = image_uses::facts(store, asset, &["bash", "zsh"], 9, 9).await?;
        let [facts] = facts.as_slice() else {
            panic!("{facts:?}")
        };
        assert_eq!(facts.scanned, Some(at(7)));
        assert_eq!(
            (facts.packages, facts.package_names.as_slice()),
            (3, &["bash".to_owned()][..])
        );
        let found: Vec<_> = facts
            .findings
            .iter()
            .map(|one| {
                (
                    one.id.as_str(),
                    one.severity,
                    one.is_fixable,
                    one.published.is_some(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("CVE-1", Severity::Critical, true, true),
                ("CVE-shared", Severity::High, true, true),
            ]
        );
        assert_eq!(facts.secrets, None, "nobody looked for them");
        let raising = facts.raising.as_ref().unwrap();
        assert_eq!(
            (raising[0].path.as_str(), raising[0].mode, raising[0].gid),
            ("/bin/su", 0o4755, 7)
        );
        let cut = image_uses::facts(store, asset, &[], 9, 1).await?;
        assert!(cut[0].has_more && cut[0].findings.len() == 1);
        Ok(())
    });
}

#[test]
fn a_job_waits_once() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        for payload in ["{}", "{}", "[]"] {
            jobs::enqueue_once(&mut tx, "look", payload, at(0), 5).await?;
        }
        tx.commit().await?;
        assert_eq!(jobs::payloads(store, "look").await?.len(), 2);
        let lease = jiff::SignedDuration::from_secs(60);
        jobs::lease(store, &["look"], "w", at(1), lease)
            .await?
            .unwrap();
        // What runs may have passed by what is new.
        let mut tx = store.begin().await?;
        jobs::enqueue_once(&mut tx, "look", "{}", at(1), 5).await?;
        tx.commit().await?;
        assert_eq!(jobs::payloads(store, "look").await?.len(), 3);
        Ok(())
    });
}
