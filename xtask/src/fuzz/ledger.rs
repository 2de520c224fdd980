//! What each target ran without a finding: thirty minutes of 28 targets are longer than a day's
//! work, so they are done in pieces.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

const HEAD: &str =
    "# Seconds of processor time and runs since the last finding; `cargo xtask fuzz` writes it.\n";

/// One target's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Processor time, in seconds.
    pub(super) seconds: u64,
    pub(super) executions: u64,
}

/// All accounts, and the file that holds them.
pub(super) struct Ledger {
    file: PathBuf,
    accounts: BTreeMap<String, Account>,
}

impl Ledger {
    /// Reads the file, which need not exist yet.
    pub(super) fn open(file: PathBuf) -> Result<Self> {
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read {}", file.display()));
            }
        };
        let accounts = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let wrong = || format!("not an account: {line}");
                let mut words = line.split_whitespace();
                let name = words.next().with_context(wrong)?.to_owned();
                let mut number =
                    || -> Result<u64> { Ok(words.next().with_context(wrong)?.parse()?) };
                let (seconds, executions) = (number()?, number()?);
                Ok((
                    name,
                    Account {
                        seconds,
                        executions,
                    },
                ))
            })
            .collect::<Result<_>>()?;
        Ok(Self { file, accounts })
    }

    pub(super) fn account(&self, target: &str) -> Account {
        self.accounts.get(target).copied().unwrap_or_default()
    }

    /// Adds what a round ran, or starts anew after a finding, and writes the file.
    pub(super) fn enter(&mut self, target: &str, round: Option<Account>) -> Result<Account> {
        let account = self.accounts.entry(target.to_owned()).or_default();
        *account = match round {
            Some(round) => Account {
                seconds: account.seconds.saturating_add(round.seconds),
                executions: account.executions.saturating_add(round.executions),
            },
            None => Account::default(),
        };
        let entered = *account;
        let mut text = HEAD.to_owned();
        for (name, account) in &self.accounts {
            writeln!(text, "{name} {} {}", account.seconds, account.executions)?;
        }
        fs::write(&self.file, text)
            .with_context(|| format!("failed to write {}", self.file.display()))?;
        Ok(entered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_grow_and_a_finding_ends_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger");
        let round = Account {
            seconds: 600,
            executions: 7,
        };
        let mut ledger = Ledger::open(file.clone()).unwrap();
        ledger.enter("rpm", Some(round)).unwrap();
        ledger.enter("names", Some(round)).unwrap();
        ledger.enter("rpm", Some(round)).unwrap();
        let mut ledger = Ledger::open(file.clone()).unwrap();
        assert_eq!(
            ledger.account("rpm"),
            Account {
                seconds: 1_200,
                executions: 14
            }
        );
        ledger.enter("rpm", None).unwrap();
        let ledger = Ledger::open(file.clone()).unwrap();
        assert_eq!(ledger.account("rpm"), Account::default());
        assert_eq!(ledger.account("names"), round);

        fs::write(&file, "rpm many\n").unwrap();
        assert!(Ledger::open(file).is_err());
    }
}
