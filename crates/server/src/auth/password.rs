//! Passwords: argon2id (RFC 9106) with the crate's defaults, which are OWASP's (19 MiB, 2 passes).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Shortest password that is taken, in characters (NIST SP 800-63B asks for 8, 15 without a second factor).
pub(crate) const MIN_CHARACTERS: usize = 12;
/// Longest, in bytes, so that hashing stays cheap.
pub(crate) const MAX_BYTES: usize = 1024;

/// A hash that no password has: compared where there is no user, so that both cases take the same time.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VhcmVldmUtbm9ib2R5$cbEqe5Wfbc2bOGeXlqx6SwvBiwkjBmhAXSFXl8LHzMY";

/// Each hash takes 19 MiB and a core for some 30 ms: two at a time bound both.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// Hashes a password for the store.
pub(crate) async fn hash(password: String) -> anyhow::Result<String> {
    let slot = SLOTS.acquire().await?;
    tokio::task::spawn_blocking(move || {
        // Held until the hash is made, also when whoever asked for it has gone.
        let _slot = slot;
        Ok(Argon2::default()
            .hash_password(password.as_bytes())?
            .to_string())
    })
    .await?
}

/// Whether `password` is the one behind `stored`; without a stored hash it takes the same time and says no.
pub(crate) async fn verify(password: String, stored: Option<String>) -> anyhow::Result<bool> {
    let slot = SLOTS.acquire().await?;
    tokio::task::spawn_blocking(move || {
        let _slot = slot;
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
        let hash = PasswordHash::new(&stored)?;
        Ok(Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
            && known)
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            verify("correct horse battery".to_owned(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !verify("correct horse batterz".to_owned(), Some(stored))
                .await
                .unwrap()
        );
        assert!(
            !verify("correct horse battery".to_owned(), None)
                .await
                .unwrap()
        );
    }
}
