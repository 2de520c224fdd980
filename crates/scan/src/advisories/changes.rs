//! What a new database changes: the packages that must be matched again.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::database::{Database, DatabaseError};
use super::stored::StoredKey;

/// The keys, (ecosystem, name), whose findings may differ between the databases: one walk over two sorted
/// lists. Names are spelled as [`super::keys_of`] spells them. Without an old database, all keys of the
/// new one.
///
/// # Errors
/// When one of the files is damaged.
pub fn changed_names(
    old: Option<&Database>,
    new: &Database,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let mut changed = BTreeSet::new();
    let mut change = |key: &StoredKey<'_>| {
        changed.insert((key.ecosystem.to_owned(), key.name.to_owned()));
    };
    let mut new = new.keys()?;
    let mut right = new.next().transpose()?;
    if let Some(old) = old {
        let mut old = old.keys()?;
        let mut left = old.next().transpose()?;
        while let (Some(a), Some(b)) = (&left, &right) {
            let order = (a.ecosystem, a.name).cmp(&(b.ecosystem, b.name));
            match order {
                Ordering::Less => change(a),
                Ordering::Greater => change(b),
                Ordering::Equal if a.hash != b.hash => change(b),
                Ordering::Equal => {}
            }
            if order.is_le() {
                left = old.next().transpose()?;
            }
            if order.is_ge() {
                right = new.next().transpose()?;
            }
        }
        while let Some(key) = left {
            change(&key);
            left = old.next().transpose()?;
        }
    }
    while let Some(key) = right {
        change(&key);
        right = new.next().transpose()?;
    }
    Ok(changed.into_iter().collect())
}
