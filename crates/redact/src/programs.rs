//! Programs that are given credentials by options whose names do not say so.

/// A program, by how its name begins, and how it is given a credential.
pub(crate) struct Program {
    begins: &'static str,
    options: &'static [&'static str],
    takes: Takes,
}

/// Where the credential stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Behind the option without a blank; with one it is something else.
    Attached,
    /// The same, or the next word.
    Both,
    /// The next word.
    Next,
    /// In either place, behind a colon: `user:password`.
    User,
}

/// What an argument of a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given<'a> {
    /// An option; the next one is a credential.
    Next,
    /// An option; what the next one has behind a colon is a credential.
    NextUser,
    /// It ends with this credential.
    Attached(&'a str),
}

/// What each name begins with stands among the marks, too.
const PROGRAMS: &[Program] = &[
    program("mysql", &["-p"], Takes::Attached),
    program("mariadb", &["-p"], Takes::Attached),
    program("sshpass", &["-p"], Takes::Both),
    program("redis-cli", &["-a"], Takes::Next),
    program("mongo", &["-p"], Takes::Next),
    program("sqlcmd", &["-P"], Takes::Next),
    program("curl", &["-u", "--user"], Takes::User),
];

const fn program(begins: &'static str, options: &'static [&'static str], takes: Takes) -> Program {
    Program {
        begins,
        options,
        takes,
    }
}

impl Program {
    /// The program that a word of a command line names, with or without its folder.
    pub(crate) fn named(word: &str) -> Option<&'static Self> {
        let name = word.rsplit('/').next().unwrap_or_default();
        let name = name.trim_start_matches(|c: char| "\"'`($;&|".contains(c));
        PROGRAMS
            .iter()
            .find(|program| name.starts_with(program.begins))
    }

    /// What one of its arguments says of a credential.
    pub(crate) fn given<'a>(&self, argument: &'a str) -> Option<Given<'a>> {
        if self.options.contains(&argument) {
            return match self.takes {
                Takes::Attached => None,
                Takes::Both | Takes::Next => Some(Given::Next),
                Takes::User => Some(Given::NextUser),
            };
        }
        let mut options = self.options.iter();
        let attached = options.find_map(|option| {
            let is_short = option.len() == 2;
            argument.strip_prefix(option).filter(|_| is_short)
        })?;
        match self.takes {
            Takes::Attached | Takes::Both => Some(Given::Attached(attached)),
            Takes::Next => None,
            Takes::User => {
                let (_, password) = attached.split_once(':')?;
                (!password.is_empty()).then_some(Given::Attached(password))
            }
        }
    }
}
