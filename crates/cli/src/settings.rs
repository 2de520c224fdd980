//! Reads the settings once: defaults, then file, then environment, then flags. Unknown keys are errors.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_server::config::{Config, DatabaseAddress, SETTINGS, Variables};
use toml::{Table, Value};

/// Variables of ours that are not settings.
const OTHER_VARIABLES: [&str; 10] = [
    "SEAREEVE_CLUSTER_NAME",
    "SEAREEVE_CLUSTER_UID",
    "SEAREEVE_CONFIG",
    "SEAREEVE_JOIN_TOKEN",
    "SEAREEVE_NODE_NAME",
    "SEAREEVE_SERVER",
    "SEAREEVE_SERVER_AUTHORITY",
    "SEAREEVE_TOKEN",
    "SEAREEVE_SHARED",
    "SEAREEVE_REQUIRE_SHARED",
];

/// The settings in force.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Checked values.
    pub(crate) config: Config,
    /// Where each set value came from, by key; the rest are defaults.
    pub(crate) origin: BTreeMap<String, String>,
    /// The file that was read.
    pub(crate) file: Option<Utf8PathBuf>,
}

/// Loads and checks the settings. `overrides` are those of flags.
pub(crate) fn load(
    file: Option<&Utf8Path>,
    environment: impl Iterator<Item = (OsString, OsString)>,
    overrides: &[(&'static str, String)],
) -> anyhow::Result<Loaded> {
    let environment: BTreeMap<OsString, OsString> = environment.collect();
    let variable = |name: &str| {
        environment
            .get(std::ffi::OsStr::new(name))
            .and_then(|value| value.to_str())
    };
    let home = |variable_name: &str, below_home: &str| {
        let own = variable(variable_name)
            .filter(|path| path.starts_with('/'))
            .map(Utf8PathBuf::from);
        own.or_else(|| {
            Some(Utf8Path::new(variable("HOME").filter(|home| !home.is_empty())?).join(below_home))
        })
    };

    let mut table = Table::new();
    let mut origin = BTreeMap::new();
    let default_file =
        home("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("seareeve/config.toml"));
    let file = file
        .map(Utf8Path::to_owned)
        .or(default_file.filter(|path| path.exists()));
    if let Some(path) = &file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read settings {path}"))?;
        table = text
            .parse::<Table>()
            .with_context(|| format!("failed to read settings {path}"))?;
        for (section, settings) in &table {
            for name in settings.as_table().into_iter().flat_map(Table::keys) {
                origin.insert(format!("{section}.{name}"), path.to_string());
            }
        }
    }
    for (name, value) in &environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with("SEAREEVE_")) else {
            continue;
        };
        if is_foreign(name) {
            continue;
        }
        let Some(setting) = SETTINGS
            .iter()
            .find(|setting| variable_of(setting.key) == name)
        else {
            bail!(
                "environment variable {name} is not a setting: `seareeve config reference` lists them"
            );
        };
        let value = value
            .to_str()
            .with_context(|| format!("environment variable {name} is not UTF-8"))?;
        set(&mut table, setting.key, value)?;
        origin.insert(
            setting.key.to_owned(),
            format!("environment variable {name}"),
        );
    }
    for (key, value) in overrides {
        set(&mut table, key, value)?;
        origin.insert((*key).to_owned(), "flag".to_owned());
    }
    let mut config: Config = Value::Table(table)
        .try_into()
        .with_context(|| match &file {
            Some(path) => format!(
                "failed to understand the settings (file {path}, then environment and flags)"
            ),
            None => "failed to understand the settings (environment and flags)".to_owned(),
        })?;
    if config.server.data_dir.as_str().is_empty()
        && let Some(folder) = home("XDG_DATA_HOME", ".local/share")
    {
        config.server.data_dir = folder.join("seareeve");
    }
    let database = &config.server.database_file;
    if !database.as_str().is_empty() {
        let address = std::fs::read_to_string(database)
            .with_context(|| format!("failed to read {database} (setting server.database_file)"))?;
        config.server.database = DatabaseAddress(address.trim().to_owned());
    }
    config.validate()?;
    let texts = environment
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())));
    config.variables = Variables::of(texts);
    Ok(Loaded {
        config,
        origin,
        file,
    })
}

/// Variables that are no settings of ours: those of tests, and those that Kubernetes puts into every pod beside a
/// service called `seareeve…` (`SEAREEVE_SERVICE_HOST`, `SEAREEVE_PORT_7300_TCP`).
fn is_foreign(name: &str) -> bool {
    let of_kubernetes = name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_");
    let of_tests = name.starts_with("SEAREEVE_TEST_") || name.starts_with("SEAREEVE_E2E_");
    OTHER_VARIABLES.contains(&name) || of_tests || of_kubernetes
}

/// The environment variable of a setting: `server.data_dir` is `SEAREEVE_SERVER_DATA_DIR`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("SEAREEVE_{}", key.replace('.', "_").to_uppercase())
}

/// Puts a text into the table as the type that the default has.
fn set(table: &mut Table, key: &str, text: &str) -> anyhow::Result<()> {
    let (section, name) = key
        .split_once('.')
        .with_context(|| format!("{key} has no section"))?;
    let defaults = Table::try_from(Config::default())?;
    let value = match defaults.get(section).and_then(|section| section.get(name)) {
        Some(Value::Integer(_)) => Value::Integer(
            text.parse()
                .with_context(|| format!("setting {key}: {text:?} is not a whole number"))?,
        ),
        Some(Value::Boolean(_)) => Value::Boolean(
            text.parse()
                .with_context(|| format!("setting {key}: {text:?} is not true or false"))?,
        ),
        Some(Value::Array(_)) if key == "scan.registries" => {
            bail!("setting {key} is a list of tables: write it into the settings file")
        }
        Some(Value::Array(_)) => Value::Array(
            text.split(',')
                .map(|item| Value::String(item.trim().to_owned()))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    };
    let section_table = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    let section_table = section_table
        .as_table_mut()
        .with_context(|| format!("setting {section} is not a section"))?;
    section_table.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        let mut pairs: Vec<(OsString, OsString)> = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        pairs.push(("HOME".into(), "/home/me".into()));
        pairs.into_iter()
    }

    #[test]
    fn flags_win_over_environment_over_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8PathBuf::from_path_buf(folder.path().join("config.toml")).unwrap();
        std::fs::write(
            &file,
            "[server]\nlisten = \"127.0.0.1:1\"\nsession_hours = 3\n[scan]\nworkers = 2\n",
        )
        .unwrap();
        let variables = [
            ("SEAREEVE_SERVER_LISTEN", "127.0.0.1:2"),
            ("SEAREEVE_SCAN_WORKERS", "3"),
        ];
        let overrides = [("scan.workers", "4".to_owned())];
        let loaded = load(Some(&file), environment(&variables), &overrides).unwrap();
        assert_eq!(loaded.config.server.session_hours, 3);
        assert_eq!(loaded.config.server.listen.port(), 2);
        assert_eq!(loaded.config.scan.workers, 4);
        assert_eq!(
            loaded.config.server.data_dir,
            "/home/me/.local/share/seareeve"
        );
        assert_eq!(loaded.origin["scan.workers"], "flag");
        assert_eq!(
            loaded.origin["server.listen"],
            "environment variable SEAREEVE_SERVER_LISTEN"
        );
        assert_eq!(loaded.origin["server.session_hours"], file);
    }

    #[test]
    fn lists_come_from_the_environment_with_commas() {
        let variables = [
            ("SEAREEVE_SERVICE_HOST", "10.0.0.1"),
            ("SEAREEVE_PORT_7300_TCP", "tcp://10.0.0.1:7300"),
            ("SEAREEVE_ADVISORIES_ECOSYSTEMS", "Debian, Photon OS"),
            ("XDG_DATA_HOME", "/data"),
        ];
        let loaded = load(None, environment(&variables), &[]).unwrap();
        assert_eq!(loaded.config.advisories.ecosystems, ["Debian", "Photon OS"]);
        assert_eq!(loaded.config.server.data_dir, "/data/seareeve");
    }

    #[test]
    fn a_database_can_be_named_by_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgres://me:secret@db/seareeve\n").unwrap();
        let variables = [
            ("SEAREEVE_SERVER_DATABASE", "sqlite"),
            ("SEAREEVE_SERVER_DATABASE_FILE", file.to_str().unwrap()),
        ];
        let loaded = load(None, environment(&variables), &[]).unwrap();
        assert_eq!(
            loaded.config.store_address(),
            "postgres://me:secret@db/seareeve"
        );
        let variables = [("SEAREEVE_SERVER_DATABASE_FILE", "absent")];
        let missing = load(None, environment(&variables), &[]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "failed to read absent (setting server.database_file)"
        );
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_errors_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8PathBuf::from_path_buf(folder.path().join("config.toml")).unwrap();
        for (text, word) in [
            ("[server]\nlistn = \"x\"", "listn"),
            ("[srv]\n", "srv"),
            ("[scan]\nworkers = \"two\"", "workers"),
            ("x", "config.toml"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = format!(
                "{:#}",
                load(Some(&file), environment(&[]), &[]).unwrap_err()
            );
            assert!(error.contains(word), "{error}");
        }
        let unknown = load(None, environment(&[("SEAREEVE_SERVR_LISTEN", "x")]), &[]).unwrap_err();
        assert!(
            unknown
                .to_string()
                .starts_with("environment variable SEAREEVE_SERVR_LISTEN is not a setting")
        );
        let missing = load(Some(Utf8Path::new("absent.toml")), environment(&[]), &[]).unwrap_err();
        assert_eq!(missing.to_string(), "failed to read settings absent.toml");
    }
}
