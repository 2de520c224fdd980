//! Credentials that images carry.

use seareeve_model::{Confidence, ImagePath, SecretFinding, SecretPlace, Severity};
use seareeve_store::images::{self, SecretFilter};
use seareeve_store::{Changes, Cursor, StoreError};

use crate::both::both;
use crate::images::{count_writes, writes};
use crate::sample::{inventory, save};

fn secret(place: SecretPlace, line: u32, severity: Severity) -> SecretFinding {
    SecretFinding {
        place,
        line,
        column: 7,
        rule: "github-token".to_owned(),
        title: "GitHub token".to_owned(),
        provider: "GitHub".to_owned(),
        severity,
        confidence: Confidence::High,
    }
}

fn sample() -> Vec<SecretFinding> {
    let file = |path: &[u8], layer, is_hidden| SecretPlace::File {
        path: ImagePath::parse(path).unwrap(),
        layer,
        is_hidden,
    };
    let field = "config.Env[3] DATABASE_URL".to_owned();
    vec![
        secret(SecretPlace::Configuration { field }, 1, Severity::High),
        secret(file(b"app/.env", 0, true), 3, Severity::Critical),
        secret(file(b"app/.env", 1, false), 3, Severity::High),
        secret(file(b"srv/\xff\\key", 1, false), 1, Severity::Critical),
    ]
}

#[test]
fn secrets_are_listed_worst_first_and_filtered() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = save(store, &inventory(1, &[], vec![]), &[], 0).await?.image;
        let mut tx = store.begin().await?;
        images::set_secrets(&mut tx, image, &sample()).await?;
        tx.commit().await?;
        let all = sample();
        let [configuration, hidden, replaced, odd] = [0, 1, 2, 3].map(|at| all[at].clone());
        let default = SecretFilter::default;
        let query = |text: &str| SecretFilter {
            query: text.to_owned(),
            ..default()
        };
        let cases = [
            (default(), vec![&hidden, &odd, &configuration, &replaced]),
            (query("DATABASE"), vec![&configuration]),
            (query("git"), vec![&hidden, &odd, &configuration, &replaced]),
            (query("app/.E"), vec![&hidden, &replaced]),
            (
                SecretFilter {
                    layer: Some(1),
                    ..default()
                },
                vec![&odd, &replaced],
            ),
            (
                SecretFilter {
                    severities: [Severity::Critical].into(),
                    ..default()
                },
                vec![&hidden, &odd],
            ),
        ];
        for (filter, expected) in cases {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let (page, counts) =
                    images::secrets(store, image, &filter, after.as_ref(), 1).await?;
                assert!(counts.total() >= expected.len() as u64, "{filter:?}");
                found.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        }
        let (_, counts) = images::secrets(store, image, &default(), None, 9).await?;
        assert_eq!((counts.critical, counts.high), (2, 2));
        let bad: Cursor = "WzFd".parse().unwrap();
        let refused = images::secrets(store, image, &default(), Some(&bad), 9).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)));
        Ok(())
    });
}

#[test]
fn none_found_is_not_nobody_looked_and_the_same_is_not_written_again() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = save(store, &inventory(1, &[], vec![]), &[], 0).await?.image;
        let known =
            async || Ok::<_, StoreError>(images::get(store, image).await?.unwrap().summary.secrets);
        assert_eq!(known().await?, None);
        let set = async |secrets: &[SecretFinding]| {
            let mut tx = store.begin().await?;
            let changes = images::set_secrets(&mut tx, image, secrets).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(changes)
        };
        let looked = Changes {
            summaries: 1,
            ..Changes::default()
        };
        assert_eq!(set(&[]).await?, looked);
        assert_eq!(known().await?, Some(0));
        let found = Changes {
            inserted: 4,
            summaries: 1,
            ..Changes::default()
        };
        assert_eq!(set(&sample()).await?, found);
        if fixture.is_sqlite() {
            count_writes(&fixture).await;
        }
        assert_eq!(set(&sample()).await?, Changes::default());
        // A list of packages that somebody sends says nothing of secrets.
        save(store, &inventory(1, &[], vec![]), &[], 1).await?;
        if fixture.is_sqlite() {
            assert_eq!(writes(&fixture).await, Vec::<String>::new());
        }
        assert_eq!(known().await?, Some(4));
        let mut tx = store.begin().await?;
        assert!(images::delete(&mut tx, image).await?);
        tx.commit().await?;
        let left = fixture.texts("SELECT rule FROM image_secret").await;
        assert_eq!(left, Vec::<String>::new());
        Ok(())
    });
}
