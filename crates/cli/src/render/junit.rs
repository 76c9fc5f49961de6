//! JUnit's XML: one suite a file, one failed test a finding.

use std::collections::BTreeMap;

use marula_core::{Finding, Report, Severity};

use super::human::evidence;

/// The findings as JUnit XML; a file without findings is one passed test.
pub fn report(report: &Report, file: Option<&str>) -> String {
    let mut suites: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    let listed = report.data.as_ref().and_then(|data| data["files"].as_array());
    for one in listed.into_iter().flatten().filter_map(|one| one["file"].as_str()) {
        suites.entry(one).or_default();
    }
    for finding in &report.findings {
        let name = finding.place.file.as_deref().or(file).unwrap_or("statement");
        suites.entry(name).or_default().push(finding);
    }
    let failing = |finding: &Finding| finding.severity > Severity::Info;
    let failures = report.findings.iter().filter(|f| failing(f)).count();
    let tests: usize = suites.values().map(|all| all.len().max(1)).sum();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"marula\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    for (name, findings) in suites {
        let own = findings.iter().filter(|f| failing(f)).count();
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{own}\">\n",
            escaped(name),
            findings.len().max(1)
        ));
        if findings.is_empty() {
            out.push_str(&format!(
                "    <testcase name=\"nothing found\" classname=\"{}\"/>\n",
                escaped(name)
            ));
        }
        for finding in findings {
            let line = finding.place.line.map(|line| format!(":{line}")).unwrap_or_default();
            out.push_str(&format!(
                "    <testcase name=\"{}\" classname=\"{}{line}\"",
                escaped(&finding.rule),
                escaped(name)
            ));
            let facts: Vec<String> = finding.evidence.iter().map(evidence).collect();
            let body = format!("{}\n{}", facts.join(" · "), finding.explanation);
            if failing(finding) {
                out.push_str(&format!(
                    ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                    escaped(&finding.title),
                    escaped(&body)
                ));
            } else {
                out.push_str(&format!(
                    ">\n      <system-out>{}</system-out>\n    </testcase>\n",
                    escaped(&format!("{}\n{body}", finding.title))
                ));
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text for XML, without the letters XML cannot hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}
