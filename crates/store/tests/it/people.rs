//! Users, sessions, sign-in links, tokens and settings.

use seareeve_store::users::Role;
use seareeve_store::{Store, StoreError, sessions, settings, sign_in_links, tokens, users};

use crate::both::both;
use crate::sample::at;

async fn ann(store: &Store) -> Result<seareeve_store::UserId, StoreError> {
    users::create(store, "Ann", Some("$argon2id$x"), Role::Owner, at(0)).await
}

#[test]
fn users_are_made_found_and_listed() {
    both(|fixture| async move {
        let store = &fixture.store;
        assert_eq!(users::count(store).await?, 0);
        let id = ann(store).await?;
        users::create(store, "bob", None, Role::Reader, at(1)).await?;

        let user = users::by_name(store, " aNN ").await?.unwrap();
        assert_eq!((user.id, user.name.as_str()), (id, "Ann"));
        assert_eq!((user.role, user.has_password), (Role::Owner, true));
        assert_eq!(user.created, at(0));
        assert_eq!(users::by_id(store, id).await?, Some(user));
        assert_eq!(users::by_name(store, "carol\0").await?, None);
        let names: Vec<String> = users::list(store)
            .await?
            .into_iter()
            .map(|u| u.name)
            .collect();
        assert_eq!(names, ["Ann", "bob"]);
        assert_eq!(users::count(store).await?, 2);
        Ok(())
    });
}

#[test]
fn user_names_are_unique_in_every_spelling() {
    both(|fixture| async move {
        let store = &fixture.store;
        ann(store).await?;
        let again = users::create(store, "ANN", None, Role::Reader, at(1)).await;
        assert!(matches!(
            again,
            Err(StoreError::Conflict { what: "user name" })
        ));
        for bad in ["", "  ", "a\nb", &"x".repeat(201)] {
            let refused = users::create(store, bad, None, Role::Reader, at(1)).await;
            assert!(
                matches!(refused, Err(StoreError::Refused { .. })),
                "{bad:?}"
            );
        }
        assert_eq!(users::count(store).await?, 1);
        Ok(())
    });
}

#[test]
fn passwords_change() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = ann(store).await?;
        users::set_password(store, id, Some("$argon2id$y")).await?;
        let hash = users::password_hash(store, id).await?;
        assert_eq!(hash.as_deref(), Some("$argon2id$y"));
        let nobody = seareeve_store::UserId(99);
        assert_eq!(users::password_hash(store, nobody).await?, None);
        let missing = users::set_password(store, nobody, Some("x")).await;
        assert!(matches!(
            missing,
            Err(StoreError::NotFound { what: "user" })
        ));
        Ok(())
    });
}

#[test]
fn sessions_last_until_they_end() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = ann(store).await?;
        sessions::create(store, &[1; 32], id, "csrf", at(0), at(1000), "Browser\0").await?;
        sessions::create(store, &[2; 32], id, "csrf", at(0), at(5), "Other").await?;

        let (session, user) = sessions::find(store, &[1; 32], at(10)).await?.unwrap();
        assert_eq!(user.id, id);
        assert_eq!((session.csrf.as_str(), session.expires), ("csrf", at(1000)));
        assert_eq!(session.user_agent, "Browser\u{fffd}");
        assert_eq!(sessions::find(store, &[2; 32], at(5)).await?, None);
        assert_eq!(sessions::find(store, &[3; 32], at(5)).await?, None);

        assert!(!sessions::touch(store, &session, at(59)).await?);
        assert!(sessions::touch(store, &session, at(60)).await?);
        let (session, _) = sessions::find(store, &[1; 32], at(61)).await?.unwrap();
        assert_eq!(session.last_seen, at(60));

        assert_eq!(sessions::delete_expired(store, at(5)).await?, 1);
        assert!(sessions::delete(store, &[1; 32]).await?);
        assert!(!sessions::delete(store, &[1; 32]).await?);
        sessions::create(store, &[4; 32], id, "csrf", at(0), at(9), "").await?;
        assert_eq!(sessions::delete_of_user(store, id).await?, 1);
        Ok(())
    });
}

#[test]
fn a_sign_in_link_works_once_even_for_two_at_a_time() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = ann(store).await?;
        sign_in_links::create(store, &[1; 32], id, at(0), at(100)).await?;
        let (one, two) = tokio::join!(
            sign_in_links::take(store, &[1; 32], at(1)),
            sign_in_links::take(store, &[1; 32], at(1))
        );
        let mut taken = [one?, two?];
        taken.sort();
        assert_eq!(taken, [None, Some(id)]);

        sign_in_links::create(store, &[2; 32], id, at(0), at(100)).await?;
        assert_eq!(sign_in_links::take(store, &[2; 32], at(100)).await?, None);
        sign_in_links::create(store, &[3; 32], id, at(0), at(100)).await?;
        assert_eq!(sign_in_links::delete_expired(store, at(99)).await?, 0);
        assert_eq!(sign_in_links::delete_expired(store, at(100)).await?, 1);
        Ok(())
    });
}

#[test]
fn tokens_sign_programs_in() {
    both(|fixture| async move {
        let store = &fixture.store;
        let ann = ann(store).await?;
        let bob = users::create(store, "bob", None, Role::Reader, at(1)).await?;
        let id = tokens::create(store, "ci", &[1; 32], ann, at(0), None).await?;
        tokens::create(store, "old", &[2; 32], ann, at(1), Some(at(5))).await?;
        let twice = tokens::create(store, "ci", &[1; 32], bob, at(0), None).await;
        assert!(matches!(twice, Err(StoreError::Conflict { what: "token" })));

        let (token, user) = tokens::find(store, &[1; 32], at(10)).await?.unwrap();
        assert_eq!((token.id, token.last_used, user.id), (id, None, ann));
        let (token, _) = tokens::find(store, &[1; 32], at(30)).await?.unwrap();
        assert_eq!(token.last_used, Some(at(10)));
        tokens::find(store, &[1; 32], at(70)).await?;
        let listed = tokens::list(store, ann).await?;
        assert_eq!(listed[1].last_used, Some(at(70)));
        assert_eq!(
            (listed[0].name.as_str(), listed[0].expires),
            ("old", Some(at(5)))
        );
        assert_eq!(tokens::find(store, &[2; 32], at(5)).await?, None);

        assert!(!tokens::delete(store, id, bob).await?);
        assert!(tokens::delete(store, id, ann).await?);
        assert_eq!(tokens::find(store, &[1; 32], at(10)).await?, None);
        assert_eq!(tokens::list(store, bob).await?, []);
        Ok(())
    });
}

#[test]
fn settings_are_remembered_with_their_cause() {
    both(|fixture| async move {
        let store = &fixture.store;
        assert_eq!(settings::get(store, "database").await?, None);
        let mut tx = store.begin().await?;
        assert!(settings::set(&mut tx, "database", "a").await?);
        drop(tx);
        assert_eq!(settings::get(store, "database").await?, None);
        let mut tx = store.begin().await?;
        assert!(settings::set(&mut tx, "database", "a").await?);
        assert!(!settings::set(&mut tx, "database", "a").await?);
        assert!(settings::set(&mut tx, "database", "b").await?);
        tx.commit().await?;
        assert_eq!(
            settings::get(store, "database").await?.as_deref(),
            Some("b")
        );
        Ok(())
    });
}
