//! All SQL: SQLite and PostgreSQL from the same queries.
