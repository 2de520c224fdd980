//! Matching again after an update of the advisory database: 10,000 stored images of 200 packages each, drawn
//! from 3,000 packages, and an update that touches 100 of them. The target is 2 s on SQLite.
//!
//! A plain program, because setting up takes most of the time and the update is to be measured cold.
//! `cargo bench -p seareeve-store` runs on SQLite; with `SEAREEVE_TEST_POSTGRES` set to the address of an
//! empty database it runs on PostgreSQL too.

use std::error::Error;
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
    store.close().await;
    Ok(elapsed)
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
            vulnerability: Vulnerability {
                id: format!("CVE-2024-{number}"),
                aliases: Vec::new(),
                title: format!("Vulnerability {number}"),
                description: "What happens, to whom and when. ".repeat(20),
                cvss: Vec::new(),
                published: Some(Timestamp::UNIX_EPOCH),
                modified: Some(Timestamp::UNIX_EPOCH),
                references: Vec::new(),
            },
            severity: severities.get(severity).copied().unwrap_or_default(),
            severity_source: SeveritySource::Distribution,
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
