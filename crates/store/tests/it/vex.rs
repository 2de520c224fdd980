//! VEX documents, and what they say of the findings of one image and not of another.

use seareeve_model::{
    Finding, Severity, SuppressedBy, Suppression, VexJustification, VexStatus, VexVerdict,
};
use seareeve_store::images::{self, Counting, FindingFilter, FindingSort, PackageFilter};
use seareeve_store::users::{self, Role};
use seareeve_store::vex_documents::{self, NewVex, PutVex};
use seareeve_store::{Changes, ImageId, PackageId, Store, StoreError, matches, packages};

use crate::both::both;
use crate::images::{count_writes, writes};
use crate::matches::assert_counts_are_true;
use crate::sample::{at, deb, finding, fixed, inventory, save};

fn judged(mut finding: Finding, status: VexStatus) -> Finding {
    let document = "team.json (the team)".to_owned();
    if status.suppresses() {
        finding.suppressed = Some(Suppression {
            by: SuppressedBy::Vex,
            reason: "not affected: inline mitigations already exist".to_owned(),
            source: document.clone(),
            expires: None,
        });
    }
    finding.vex = Some(VexVerdict {
        status,
        justification: Some(VexJustification::InlineMitigationsAlreadyExist),
        statement: "as the parser is off".to_owned(),
        document,
        timestamp: Some(at(-9)),
    });
    finding
}

/// Two images with the same package; of the first, CVE-1 is not affected and CVE-2 is looked into.
async fn sample(store: &Store) -> Result<[ImageId; 2], StoreError> {
    let plain = vec![
        fixed("CVE-1", Severity::Critical),
        finding("CVE-2", Severity::Low),
    ];
    let said = vec![
        judged(plain[0].clone(), VexStatus::NotAffected),
        judged(plain[1].clone(), VexStatus::UnderInvestigation),
    ];
    let one = inventory(1, &[], vec![deb("openssl", "3")]);
    let two = inventory(2, &[], vec![deb("openssl", "3")]);
    Ok([
        save(store, &one, &[said], 0).await?.image,
        save(store, &two, &[plain], 0).await?.image,
    ])
}

async fn criticals(store: &Store, image: ImageId) -> Result<(u64, u64), StoreError> {
    let summary = images::get(store, image).await?.unwrap().summary;
    Ok((summary.findings.critical, summary.fixable))
}

async fn openssl(store: &Store) -> Result<PackageId, StoreError> {
    Ok(packages::by_match_names(store, &["openssl".to_owned()]).await?[0].0)
}

#[test]
fn a_verdict_holds_for_its_image_alone() {
    both(|fixture| async move {
        let store = &fixture.store;
        let [one, two] = sample(store).await?;
        assert_eq!(criticals(store, one).await?, (0, 0));
        assert_eq!(criticals(store, two).await?, (1, 1));
        assert_counts_are_true(store).await?;
        let package = openssl(store).await?;
        let found = images::finding(store, one, package, "CVE-1")
            .await?
            .unwrap();
        let expected = judged(fixed("CVE-1", Severity::Critical), VexStatus::NotAffected);
        assert_eq!(found.row.finding, expected);
        let other = images::finding(store, two, package, "CVE-1")
            .await?
            .unwrap();
        assert_eq!(other.row.finding, fixed("CVE-1", Severity::Critical));
        let suppressed = FindingFilter {
            counting: Counting::Suppressed,
            ..FindingFilter::default()
        };
        for (image, expected) in [(one, 1), (two, 0)] {
            let sort = FindingSort::Severity;
            let page = images::findings(store, image, &suppressed, sort, None, 9).await?;
            assert_eq!(page.items.len(), expected);
            let facets = images::finding_facets(store, image, &suppressed).await?;
            assert_eq!(facets.suppressed, expected as u64);
            let detail = images::get(store, image).await?.unwrap();
            assert_eq!(detail.layers[0].findings.total(), 2 - expected as u64);
            let all = PackageFilter::default();
            let rows = images::packages(store, image, &all, None, 9).await?.items;
            assert_eq!(rows[0].findings.total(), 2 - expected as u64);
        }

        if fixture.is_sqlite() {
            count_writes(&fixture).await;
        }
        sample(store).await?;
        if fixture.is_sqlite() {
            assert_eq!(writes(&fixture).await, Vec::<String>::new());
        }
        Ok(())
    });
}

#[test]
fn verdicts_that_are_gone_bring_their_findings_back() {
    both(|fixture| async move {
        let store = &fixture.store;
        let [one, _] = sample(store).await?;
        let package = openssl(store).await?;
        let plain = fixed("CVE-1", Severity::Critical);
        let unknown = judged(finding("CVE-9", Severity::High), VexStatus::Fixed);
        let judge = async |findings: Vec<Finding>| {
            let mut tx = store.begin().await?;
            let changes = images::set_verdicts(&mut tx, one, &[(package, findings)]).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(changes)
        };
        let expected = Changes {
            deleted: 2,
            summaries: 1,
            ..Changes::default()
        };
        assert_eq!(judge(vec![plain.clone(), unknown.clone()]).await?, expected);
        assert_eq!(
            judge(vec![plain.clone(), unknown]).await?,
            Changes::default()
        );
        assert_eq!(criticals(store, one).await?, (1, 1));
        let expected = Changes {
            inserted: 1,
            summaries: 1,
            ..Changes::default()
        };
        let said = vec![judged(plain.clone(), VexStatus::Fixed)];
        assert_eq!(judge(said.clone()).await?, expected);
        assert_eq!(judge(said).await?, Changes::default());
        assert_eq!(criticals(store, one).await?, (0, 0));
        assert_counts_are_true(store).await
    });
}

/// Matching again changes, takes away and brings back matches of which a document speaks.
#[test]
fn counts_stay_true_while_advisories_change() {
    both(|fixture| async move {
        let store = &fixture.store;
        let [one, two] = sample(store).await?;
        let package = openssl(store).await?;
        let match_again = async |findings: Vec<Finding>| {
            let mut tx = store.begin().await?;
            let changes = matches::apply(&mut tx, &[(package, findings)], at(1)).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(changes)
        };
        // Only the other image counts the change.
        let better = vec![
            finding("CVE-1", Severity::High),
            finding("CVE-2", Severity::Low),
        ];
        let expected = Changes {
            updated: 1,
            summaries: 1,
            ..Changes::default()
        };
        assert_eq!(match_again(better).await?, expected);
        assert_counts_are_true(store).await?;
        assert_eq!(criticals(store, two).await?, (0, 0));

        match_again(vec![finding("CVE-2", Severity::Low)]).await?;
        assert_counts_are_true(store).await?;
        let left = fixture.texts("SELECT status FROM image_verdict").await;
        assert_eq!(left, ["under_investigation"]);
        match_again(vec![fixed("CVE-1", Severity::Critical)]).await?;
        assert_counts_are_true(store).await?;
        // Until it is judged again.
        assert_eq!(criticals(store, one).await?, (1, 1));
        Ok(())
    });
}

#[test]
fn a_document_replaces_the_one_of_its_name() {
    both(|fixture| async move {
        let store = &fixture.store;
        let ann = users::create(store, "ann", None, Role::Operator, at(0)).await?;
        sample(store).await?;
        let document = |content| NewVex {
            name: "team.json",
            source: "team.json (the team)",
            content,
            statements: 2,
        };
        let put = async |content| {
            let mut tx = store.begin().await?;
            let put = vex_documents::put(&mut tx, document(content), ann, at(7)).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(put)
        };
        let PutVex::Created(id) = put("{}").await? else {
            panic!("there was none");
        };
        assert_eq!(put("{}").await?, PutVex::Same(id));
        assert_eq!(put("{\"a\":1}").await?, PutVex::Replaced(id));
        let listed = vex_documents::list(store).await?;
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].findings, listed[0].size_bytes), (2, 7));
        assert_eq!(listed[0].sent_by.as_deref(), Some("ann"));
        let content = ("team.json".to_owned(), "{\"a\":1}".to_owned());
        assert_eq!(vex_documents::contents(store).await?, [content]);
        let mut tx = store.begin().await?;
        assert!(vex_documents::delete(&mut tx, id).await?);
        assert!(!vex_documents::delete(&mut tx, id).await?);
        tx.commit().await?;
        assert_eq!(vex_documents::list(store).await?, []);
        Ok(())
    });
}
