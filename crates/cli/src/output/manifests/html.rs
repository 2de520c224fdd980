//! One page for people that needs nothing else: no script, no other file, no network.

use std::collections::BTreeSet;

use seareeve_api::{ManifestObject, ManifestReport};
use seareeve_posture::{Check, Library};

use super::{counted, name_of, place_of, told};
use crate::output::html::head;
use crate::output::markup::escape;
use crate::output::words::spaced;

pub(super) fn page(report: &ManifestReport, library: &Library) -> String {
    let problems: String = report
        .problems
        .iter()
        .map(|problem| {
            let line = format!("{}: {}", problem.place, problem.message);
            format!("<li>{}</li>", escape(&line))
        })
        .collect();
    let banner = match problems.as_str() {
        "" => String::new(),
        problems => format!(
            "<div class=\"banner\" role=\"note\"><strong>Incomplete: not everything could be read</strong><ul>{problems}</ul></div>\n"
        ),
    };
    let title = match &report.standard {
        Some(standard) => format!("Kubernetes manifests by {standard}"),
        None => "Kubernetes manifests".to_owned(),
    };
    let title = escape(&title);
    let rows: String = report.objects.iter().map(rows).collect();
    format!(
        "{}\
         <header><div>\n<h1>{title}</h1>\n<div class=\"soft\">{}</div>\n</div></header>\n\
         <main>\n{banner}<table><thead><tr><th>Object</th><th>Status</th><th>What</th><th>Where</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n{}</main>\n<footer>Seareeve {}</footer>\n</body>\n</html>\n",
        head(&title),
        counted(report),
        remedies(report, library),
        env!("CARGO_PKG_VERSION"),
    )
}

/// What to do about checks that somebody should look at, once for each.
fn remedies(report: &ManifestReport, library: &Library) -> String {
    let ids: BTreeSet<&str> = report
        .objects
        .iter()
        .flat_map(told)
        .map(|result| result.check.as_str())
        .collect();
    let remedies: String = ids
        .into_iter()
        .filter_map(|id| library.check(id))
        .map(remedy)
        .collect();
    match remedies.as_str() {
        "" => String::new(),
        remedies => format!("<h2>What to do</h2>\n<ul class=\"remedies\">\n{remedies}</ul>\n"),
    }
}

fn remedy(check: &Check) -> String {
    let fix = check.fix();
    let impact = fix
        .impact
        .iter()
        .map(|impact| format!(" <em>{}</em>", with_code(impact)));
    let impact: String = impact.collect();
    format!(
        "<li id=\"{id}\"><strong>{}</strong> <span class=\"soft mono\">{id}</span><br>{}<br>{}{impact}</li>\n",
        escape(check.title()),
        with_code(check.why()),
        with_code(&fix.text),
        id = escape(check.id()),
    )
}

/// A text of a check, in which names stand between backticks.
fn with_code(text: &str) -> String {
    let text = escape(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let marked = parts.into_iter().zip([false, true].into_iter().cycle());
    marked
        .map(|(part, is_code)| match is_code {
            true => format!("<code>{part}</code>"),
            false => part.to_owned(),
        })
        .collect()
}

fn rows(object: &ManifestObject) -> String {
    let name = escape(&name_of(object));
    let place = escape(&place_of(object).unwrap_or_default());
    let verdict = object.verdict.as_ref().map(|verdict| {
        format!(
            "<tr><td>{name}</td><td>{}</td><td></td><td class=\"mono\">{place}</td></tr>\n",
            escape(verdict)
        )
    });
    let results = told(object).map(|result| {
        let status = match result.status.as_str() {
            "fail" => result.severity.clone(),
            status => spaced(status),
        };
        format!(
            "<tr><td>{name}</td><td>{}</td><td>{}<br><a class=\"mono\" href=\"#{check}\">{check}</a></td><td class=\"mono\">{place}<br>{}</td></tr>\n",
            escape(&status),
            escape(&result.message),
            escape(&result.path),
            check = escape(&result.check),
        )
    });
    verdict.into_iter().chain(results).collect()
}
