//! Rules as they are written (audit.rules(7), auditctl(8)).

use serde_json::{Value, json};

use super::{PERMS, Rule};

/// Rules of one machine that are kept.
const RULES: usize = 20_000;

/// Adds the rules of one file that are about paths to `found`, each with where it stands. `-D` and `-W` take away
/// what was added before.
pub(super) fn parse(text: &str, file: &str, found: &mut Vec<(Rule, Value)>) {
    for (line, number) in text.lines().zip(1_usize..) {
        let line = line.trim();
        if line.starts_with('#') || found.len() >= RULES {
            continue;
        }
        let words = words(line);
        match words.first().map(String::as_str) {
            Some("-D") => found.clear(),
            Some("-W") => {
                if let Some(gone) = rule(&words) {
                    found.retain(|(rule, _)| (&rule.path, rule.perm) != (&gone.path, gone.perm));
                }
            }
            Some(_) => {
                let source = json!({"file": file, "line": number, "text": line});
                found.extend(rule(&words).map(|rule| (rule, source)));
            }
            None => {}
        }
    }
}

/// A rule, if it is about a path.
fn rule(words: &[String]) -> Option<Rule> {
    let mut rule = Rule {
        path: "".into(),
        recursive: None,
        perm: 0,
        key: String::new(),
        always: true,
        narrowed: false,
    };
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-w" | "-W" => rule.path = words.next()?.into(),
            "-p" => rule.perm = bits(words.next()?),
            "-k" => words.next()?.clone_into(&mut rule.key),
            "-a" | "-A" => {
                let list = words.next()?;
                rule.always = !list.split(',').any(|part| part == "never");
                // Rules of other lists are not about access to files.
                if !list.split(',').any(|part| part == "exit") {
                    return None;
                }
            }
            "-S" => rule.narrowed |= words.next()? != "all",
            "-F" => field(words.next()?, &mut rule),
            "-C" => {
                words.next();
                rule.narrowed = true;
            }
            _ => return None,
        }
    }
    if rule.path.as_str().is_empty() {
        return None;
    }
    if rule.perm == 0 {
        rule.perm = bits("rwxa");
    }
    Some(rule)
}

fn field(text: &str, rule: &mut Rule) {
    let compared = text.split_once('=');
    let Some((name, value)) = compared.filter(|(name, _)| !name.ends_with(['!', '<', '>', '&']))
    else {
        rule.narrowed = true;
        return;
    };
    match name {
        "path" => {
            rule.path = value.into();
            rule.recursive = Some(false);
        }
        "dir" => {
            rule.path = value.into();
            rule.recursive = Some(true);
        }
        "perm" => rule.perm = bits(value),
        "key" => value.clone_into(&mut rule.key),
        // Practically all programs are of one architecture; that is no exception to speak of.
        "arch" => {}
        _ => rule.narrowed = true,
    }
}

fn bits(letters: &str) -> u8 {
    let set = PERMS.iter().filter(|(_, letter)| letters.contains(letter));
    set.fold(0, |perm, (bit, _)| perm | bit)
}

/// Words, of which quoted ones may hold spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => words.push(String::new()),
            (_, c) => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
