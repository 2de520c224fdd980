//! The headers in rpm's table `Packages` (`rpmdb.sqlite`).

use super::{Each, Limited};
use crate::sqlite::{Column, Columns, Database};

pub(super) use crate::sqlite::MAGIC;

/// Hands out every header of `content`, which begins with [`MAGIC`].
pub(super) fn headers(content: &[u8], each: &mut Each<'_>) -> Result<(), Limited> {
    let Some(mut file) = Database::new(content) else {
        return each(Err("the database's first page is damaged".to_owned()));
    };
    let mut tables = file.tables(&mut |why| each(Err(why)))?.into_iter();
    let packages = tables.find(|(name, _)| name.eq_ignore_ascii_case(b"Packages"));
    let Some((_, table)) = packages else {
        return each(Err("the database has no table of packages".to_owned()));
    };
    file.rows(table.root, &mut |row| {
        // The number of the package is the key of the row, the header its only value.
        each(row.and_then(|row| {
            Columns::new(row.values)
                .and_then(|mut columns| columns.find_map(Column::blob))
                .ok_or_else(|| "a row of the table of packages is damaged".to_owned())
        }))
    })
}
