//! JUnit's XML: a suite is an object, a test a check on it.

use std::fmt::Write as _;

use seareeve_api::{ManifestObject, ManifestReport};

use super::{name_of, place_of};
use crate::output::markup::escape;

pub(super) fn report(report: &ManifestReport) -> String {
    let results = || report.objects.iter().flat_map(|object| &object.results);
    let failures = results().filter(|result| result.status == "fail").count();
    let untold = results().filter(|result| is_error(&result.status)).count();
    let errors = untold + report.problems.len();
    let tests = results().count() + report.problems.len();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"Seareeve\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    );
    for object in report
        .objects
        .iter()
        .filter(|object| !object.results.is_empty())
    {
        suite(&mut text, object);
    }
    if !report.problems.is_empty() {
        let count = report.problems.len();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  <testsuite name=\"not read\" tests=\"{count}\" failures=\"0\" errors=\"{count}\" skipped=\"0\">"
        );
        for problem in &report.problems {
            let _ = writeln!(
                text,
                "    <testcase classname=\"not read\" name=\"{}\"><error type=\"{}\" message=\"{}\"/></testcase>",
                escape(&problem.place),
                escape(&problem.code),
                escape(&problem.message)
            );
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(text: &mut String, object: &ManifestObject) {
    let with = |wanted: &dyn Fn(&str) -> bool| {
        let results = object.results.iter();
        results.filter(|result| wanted(&result.status)).count()
    };
    let name = match place_of(object) {
        Some(place) => format!("{} ({place})", name_of(object)),
        None => name_of(object),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        escape(&name),
        object.results.len(),
        with(&|status| status == "fail"),
        with(&is_error),
        with(&|status| !matches!(status, "fail" | "pass") && !is_error(status))
    );
    for result in &object.results {
        let message = escape(&result.message);
        let element = match result.status.as_str() {
            "pass" => String::new(),
            "fail" => format!(
                "<failure type=\"{}\" message=\"{message}\">{}</failure>",
                escape(&result.severity),
                escape(&result.path)
            ),
            status if is_error(status) => {
                format!("<error type=\"{}\" message=\"{message}\"/>", escape(status))
            }
            _ => format!("<skipped message=\"{message}\"/>"),
        };
        let _ = writeln!(
            text,
            "    <testcase classname=\"{}\" name=\"{}\">{element}</testcase>",
            escape(&name_of(object)),
            escape(format!("{} {}", result.check, result.path).trim_end())
        );
    }
    text.push_str("  </testsuite>\n");
}

fn is_error(status: &str) -> bool {
    matches!(status, "error" | "not_collected")
}
