//! Matching again after an update of the advisory database: 10,000 stored images of 200 packages each, drawn
//! from 3,000 packages, and an update that touches 100 of them. The target is 2 s on SQLite. Then the lists of
//! the UI over the 8 million findings of these images: 150 ms at the 95th percentile.
//!
//! A plain program, because setting up takes most of the time and the update is to be measured cold.
//! `cargo bench -p seareeve-store` runs on SQLite; with `SEAREEVE_TEST_POSTGRES` set to the address of an
//! empty database it runs on PostgreSQL too.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seareeve_model::{
    AdvisoryMatch, Digest, Finding, FindingStatus, Image, ImagePath, InstalledPackage, Inventory,
    Layer, Package, PackageKind, Purl, Severity, SeveritySource, SourcePackage, Vulnerability,
};
use seareeve_store::{Changes, DatabaseUrl, PackageId, Store, images, matches, packages};

const IMAGES: u32 = 10_000;
const PACKAGES: u64 = 3_000;
const PACKAGES_PER_IMAGE: usize = 200;
const FINDINGS_PER_PACKAGE: u64 = 4;
const TOUCHED: u64 = 100;
const TARGET: Duration = Duration::from_secs(2);
/// Rows of a page, as the UI asks for.
const PAGE: usize = 100;
/// What a list may take at the 95th percentile.
const LIST_TARGET: Duration = Duration::from_millis(150);

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("state.db");
    let sqlite = format!("sqlite:{}", path.display()).parse()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let elapsed = runtime.block_on(measure(&sqlite))?;
    if let Ok(postgres) = std::env::var("SEAREEVE_TEST_POSTGRES") {
        runtime.block_on(measure(&postgres.parse()?))?;
    }
    if elapsed > TARGET {
        return Err(format!("matching again took {elapsed:?}, more than {TARGET:?}").into());
    }
    Ok(())
}

async fn measure(url: &DatabaseUrl) -> Result<Duration, Box<dyn Error>> {
    let store = Store::open(url).await?;
    let start = Instant::now();
    let pool: Vec<InstalledPackage> = (0..PACKAGES).map(package).collect::<Result<_, _>>()?;
    let mut dice = Dice(1);
    let mut tx = store.begin().await?;
    for number in 0..IMAGES {
        let mut chosen = std::collections::BTreeSet::new();
        while chosen.len() < PACKAGES_PER_IMAGE {
            chosen.insert(dice.below(PACKAGES));
        }
        let installed = chosen
            .iter()
            .filter_map(|&n| pool.get(usize::try_from(n).ok()?));
        let inventory = inventory(number, installed.cloned().collect());
        // Findings come afterwards, all at once: the same result in a fraction of the time.
        let findings = vec![Vec::new(); PACKAGES_PER_IMAGE];
        images::save(&mut tx, &inventory, &findings, Timestamp::UNIX_EPOCH).await?;
        if number % 500 == 499 {
            tx.commit().await?;
            tx = store.begin().await?;
        }
    }
    tx.commit().await?;
    report(url, "saved all images", start.elapsed());
    let start = Instant::now();
    let updates = updates(packages::all(&store, None, usize::MAX).await?, 0);
    apply(&store, &updates).await?;
    report(url, "matched all packages", start.elapsed());

    let names: Vec<String> = (0..TOUCHED).map(|n| format!("source-{n}")).collect();
    let start = Instant::now();
    let found = packages::by_match_names(&store, &names).await?;
    let updates = self::updates(found, 1);
    let changes = apply(&store, &updates).await?;
    let elapsed = start.elapsed();
    report(url, &format!("matched again: {changes:?}"), elapsed);

    // Each touched package gets one finding that is new, loses one, and one becomes worse. The
    // vulnerabilities themselves are shared with packages that are not touched.
    assert_eq!(changes.inserted, TOUCHED);
    assert_eq!((changes.updated, changes.deleted), (TOUCHED, TOUCHED));
    assert!(changes.summaries <= u64::from(IMAGES));
    let start = Instant::now();
    let again = apply(&store, &updates).await?;
    report(url, "matched again, nothing new", start.elapsed());
    assert_eq!(again, Changes::default());
    lists(url, &store).await?;
    store.close().await;
    Ok(elapsed)
}

/// The lists that the UI shows, over 8 million findings: a page of each, at many places.
async fn lists(url: &DatabaseUrl, store: &Store) -> Result<(), Box<dyn Error>> {
    let ids: Vec<_> = images::ids(store).await?.into_iter().step_by(100).collect();
    let mut slowest = Duration::ZERO;
    for (name, sort) in [
        ("images, worst first", images::ImageSort::Severity),
        ("images, newest first", images::ImageSort::Newest),
        ("images by name", images::ImageSort::Name),
    ] {
        let (mut times, mut after) = (Vec::new(), None);
        for _ in 0..ids.len() {
            let start = Instant::now();
            let filter = images::ImageFilter::default();
            let page = images::list(store, &filter, sort, after.as_ref(), PAGE).await?;
            times.push(start.elapsed());
            after = page.next;
        }
        slowest = slowest.max(percentile(url, name, times));
    }
    let (mut findings, mut facets, mut packages, mut details) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for id in &ids {
        let start = Instant::now();
        images::findings(
            store,
            *id,
            &images::FindingFilter::default(),
            images::FindingSort::Severity,
            None,
            PAGE,
        )
        .await?;
        findings.push(start.elapsed());
        let start = Instant::now();
        images::finding_facets(store, *id, &images::FindingFilter::default()).await?;
        facets.push(start.elapsed());
        let start = Instant::now();
        images::packages(store, *id, &images::PackageFilter::default(), None, PAGE).await?;
        packages.push(start.elapsed());
        let start = Instant::now();
        images::get(store, *id).await?;
        details.push(start.elapsed());
    }
    for (name, times) in [
        ("findings of an image", findings),
        ("facets of an image", facets),
        ("packages of an image", packages),
        ("one image", details),
    ] {
        slowest = slowest.max(percentile(url, name, times));
    }
    if slowest > LIST_TARGET {
        return Err(format!(
            "a list took {slowest:?} at the 95th percentile, more than {LIST_TARGET:?}"
        )
        .into());
    }
    Ok(())
}

fn percentile(url: &DatabaseUrl, name: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let p95 = times
        .get(times.len() * 95 / 100)
        .copied()
        .unwrap_or_default();
    report(
        url,
        &format!("95th percentile of {}: {name}", times.len()),
        p95,
    );
    p95
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its result")]
fn report(url: &DatabaseUrl, what: &str, elapsed: Duration) {
    let database = match url {
        DatabaseUrl::Sqlite(_) => "sqlite",
        DatabaseUrl::Postgres(_) => "postgres",
    };
    println!("{database}: {what} in {} ms", elapsed.as_millis());
}

fn updates(packages: Vec<(PackageId, Package)>, edition: u64) -> Vec<(PackageId, Vec<Finding>)> {
    let update = |(id, package): (PackageId, Package)| {
        let number = package.name.strip_prefix("package-")?.parse().ok()?;
        Some((id, findings(number, edition)))
    };
    packages.into_iter().filter_map(update).collect()
}

async fn apply(
    store: &Store,
    updates: &[(PackageId, Vec<Finding>)],
) -> Result<Changes, Box<dyn Error>> {
    let mut tx = store.begin().await?;
    let changes = matches::apply(&mut tx, updates, Timestamp::UNIX_EPOCH).await?;
    tx.commit().await?;
    Ok(changes)
}

/// The same numbers on every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn package(number: u64) -> Result<InstalledPackage, Box<dyn Error>> {
    let (name, version) = (format!("package-{number}"), "1.2.3-4+deb12u1".to_owned());
    let purl = Purl::new("deb", "debian", &name, &version, &[("distro", "debian-12")])?;
    Ok(InstalledPackage {
        package: Package {
            kind: PackageKind::Deb,
            name,
            version: version.clone(),
            source: Some(SourcePackage {
                name: format!("source-{number}"),
                version,
            }),
            ecosystem: "Debian:12".to_owned(),
            purl,
        },
        path: ImagePath::parse(b"var/lib/dpkg/status").ok_or("not a path")?,
        layer: 0,
    })
}

/// The findings of a package: of vulnerabilities that other packages have too. `edition` 1 exchanges the
/// first and makes the second worse.
fn findings(package: u64, edition: u64) -> Vec<Finding> {
    let finding = |place: u64| {
        let exchanged = u64::from(place == 0) * edition * 500;
        let number = (package * 7 + place * 101 + exchanged) % PACKAGES;
        let severities = Severity::ALL;
        let severity = usize::try_from(number % 4).unwrap_or_default()
            + usize::from(place == 1 && edition == 1);
        Finding {
            vulnerability: Arc::new(Vulnerability {
                id: format!("CVE-2024-{number}"),
                aliases: Vec::new(),
                title: format!("Vulnerability {number}"),
                description: "What happens, to whom and when. ".repeat(20),
                cvss: Vec::new(),
                published: Some(Timestamp::UNIX_EPOCH),
                modified: Some(Timestamp::UNIX_EPOCH),
                known_exploited: None,
                epss: None,
                references: Vec::new(),
            }),
            severity: severities.get(severity).copied().unwrap_or_default(),
            severity_source: SeveritySource::Distribution,
            vex: None,
            suppressed: None,
            status: FindingStatus::Fixed,
            fixed_versions: vec!["9".to_owned()],
            remediation: "upgrade to 9".to_owned(),
            advisories: vec![AdvisoryMatch {
                id: format!("DSA-{number}-1"),
                range: ">= 0, < 9".to_owned(),
                modified: None,
            }],
        }
    };
    (0..FINDINGS_PER_PACKAGE).map(finding).collect()
}

fn inventory(number: u32, packages: Vec<InstalledPackage>) -> Inventory {
    let mut value = [0; 32];
    for (byte, part) in value.iter_mut().zip(number.to_be_bytes()) {
        *byte = part;
    }
    let digest = Digest::sha256(&value);
    Inventory {
        image: Image {
            references: vec![format!("registry.example/team/app:{number}")],
            config_digest: digest.clone(),
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            created: None,
            layers: vec![Layer {
                diff_id: digest.clone(),
                digest: None,
                size_bytes: 100_000_000,
                created_by: "ADD rootfs.tar /".to_owned(),
            }],
            digest,
        },
        distro: None,
        packages,
        problems: Vec::new(),
    }
}
