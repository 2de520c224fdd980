//! JUnit's XML: a suite is a benchmark, a test a control.

use std::fmt::Write as _;

use seareeve_api::{PostureReport, ReportBenchmark, ReportControl};

use super::{deciding, said};
use crate::output::markup::escape;

pub(super) fn report(report: &PostureReport) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let total = |of: fn(&ReportBenchmark) -> usize| report.benchmarks.iter().map(of).sum::<usize>();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<testsuites name=\"Seareeve\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        report.controls.len(),
        total(failures),
        total(errors)
    );
    for benchmark in &report.benchmarks {
        let controls: Vec<&ReportControl> = report
            .controls
            .iter()
            .filter(|control| {
                control.benchmark == benchmark.id && control.version == benchmark.version
            })
            .collect();
        let skipped = controls
            .iter()
            .filter(|control| is_skipped(&control.status))
            .count();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{} {} on {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{skipped}\">",
            escape(&benchmark.id),
            escape(&benchmark.version),
            escape(&report.asset.name),
            controls.len(),
            failures(benchmark),
            errors(benchmark)
        );
        for control in controls {
            test(&mut text, control);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn test(text: &mut String, control: &ReportControl) {
    let mut lines: Vec<String> = control.reason.iter().cloned().collect();
    lines.extend(deciding(control).map(|object| format!("{}: {}", object.name, said(object))));
    if let Some(remedy) = &control.remedy {
        lines.push(format!("remedy: {}", remedy.text));
    }
    let message = escape(&control.title);
    let body = escape(&lines.join("\n"));
    let element = match control.status.as_str() {
        "pass" => String::new(),
        "fail" => {
            let severity = escape(control.severity.as_deref().unwrap_or("unknown"));
            format!("<failure type=\"{severity}\" message=\"{message}\">{body}</failure>")
        }
        "error" | "not_collected" => {
            let kind = escape(&control.status);
            format!("<error type=\"{kind}\" message=\"{message}\">{body}</error>")
        }
        status => {
            let why = control.reason.as_deref().unwrap_or_default();
            let message = escape(format!("{status}: {why}").trim_end_matches(": "));
            format!("<skipped message=\"{message}\"/>")
        }
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "    <testcase classname=\"{}\" name=\"{} {}\">{element}</testcase>",
        escape(&control.section),
        escape(&control.id),
        escape(&control.title)
    );
}

fn failures(benchmark: &ReportBenchmark) -> usize {
    usize::try_from(benchmark.counts.fail).unwrap_or(usize::MAX)
}

fn errors(benchmark: &ReportBenchmark) -> usize {
    let errors = benchmark.counts.error + benchmark.counts.not_collected;
    usize::try_from(errors).unwrap_or(usize::MAX)
}

fn is_skipped(status: &str) -> bool {
    !matches!(status, "pass" | "fail" | "error" | "not_collected")
}
