//! One page for people that needs nothing else: no script, no other file, no network.

use seareeve_api::{PostureReport, ReportControl};

use super::{deciding, said, what};
use crate::output::html::head;
use crate::output::markup::escape;
use crate::output::words::spaced;

pub(super) fn page(report: &PostureReport) -> String {
    let name = escape(&report.asset.name);
    let gaps: String = report
        .gaps
        .iter()
        .map(|gap| {
            let line = format!("{} from {}: {}", gap.kind, gap.source, gap.detail);
            format!("<li>{}</li>", escape(&line))
        })
        .collect();
    let banner = match gaps.as_str() {
        "" => String::new(),
        gaps => format!(
            "<div class=\"banner\" role=\"note\"><strong>Incomplete: not everything could be collected</strong><ul>{gaps}</ul></div>\n"
        ),
    };
    let benchmarks: String = report
        .benchmarks
        .iter()
        .map(|benchmark| {
            let controls = report.controls.iter().filter(|control| {
                control.benchmark == benchmark.id && control.version == benchmark.version
            });
            let rows: String = controls.map(row).collect();
            let counts = &benchmark.counts;
            let boxes: String = [
                ("high", "failed", counts.fail),
                ("medium", "not told", counts.error + counts.not_collected),
                ("low", "to review", counts.needs_review),
                ("unknown", "excepted", counts.excepted),
                ("unknown", "passed", counts.pass),
                ("unknown", "not applicable", counts.not_applicable),
            ]
            .iter()
            .map(|(class, what, count)| {
                format!("<div class=\"count {class}\"><span>{what}</span><b>{count}</b></div>\n")
            })
            .collect();
            format!(
                "<h2>{} {}</h2>\n<div class=\"counts\">\n{boxes}</div>\n\
                 <table><thead><tr><th>Control</th><th>Status</th><th>What</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n",
                escape(&benchmark.title),
                escape(&benchmark.version)
            )
        })
        .collect();
    format!(
        "{}\
         <header><div>\n<h1>{name}</h1>\n<div class=\"soft\">{}, facts of {}</div>\n</div></header>\n\
         <main>\n{banner}{benchmarks}</main>\n<footer>Seareeve {}</footer>\n</body>\n</html>\n",
        head(&name),
        escape(&what(report)),
        escape(&report.collected_at.to_string()),
        env!("CARGO_PKG_VERSION"),
    )
}

fn row(control: &ReportControl) -> String {
    let mut lines: Vec<String> = control.reason.iter().map(|reason| escape(reason)).collect();
    if !matches!(control.status.as_str(), "pass" | "not_applicable") {
        lines.extend(deciding(control).map(|object| {
            format!(
                "<strong>{}</strong>: {}",
                escape(&object.name),
                escape(&said(object))
            )
        }));
        if let Some(remedy) = &control.remedy {
            lines.push(format!("<em>{}</em>", escape(&remedy.text)));
        }
    }
    let items: String = lines
        .iter()
        .map(|line| format!("<li>{line}</li>"))
        .collect();
    let list = match items.as_str() {
        "" => String::new(),
        items => format!("<ul>{items}</ul>"),
    };
    let severity = match (&control.severity, control.status.as_str()) {
        (Some(severity), "fail") => format!(" ({})", escape(severity)),
        _ => String::new(),
    };
    format!(
        "<tr><td class=\"mono\">{}</td><td>{}{severity}</td><td>{}{list}</td></tr>\n",
        escape(&control.id),
        escape(&spaced(&control.status)),
        escape(&control.title)
    )
}
