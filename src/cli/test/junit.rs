//! The results of mapping tests as JUnit XML, as the usual readers take it.

use std::fmt::Write;

use crate::cases::CaseOutcome;

/// The results as a file of JUnit.
pub(super) fn junit(cases: &[CaseOutcome]) -> String {
    let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
    let failures = cases.iter().filter(|case| !case.passed).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"epms\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"0\" skipped=\"0\">\n",
        cases.len()
    );
    for case in cases {
        let (folder, name) = case.name.split_once('/').unwrap_or(("", &case.name));
        let _ = write!(
            xml,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escape(folder),
            escape(name)
        );
        if case.passed {
            xml += "/>\n";
        } else {
            let _ = writeln!(
                xml,
                "><failure message=\"not as expected\">{}</failure></testcase>",
                escape(&case.diff.join("\n"))
            );
        }
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_escapes_what_it_quotes() {
        let case = CaseOutcome {
            name: "yardi/a<b".into(),
            file: "f".into(),
            passed: false,
            diff: vec!["- a & b".into()],
        };
        let xml = junit(&[case]);
        assert!(xml.contains("classname=\"yardi\" name=\"a&lt;b\""), "{xml}");
        assert!(xml.contains("- a &amp; b"), "{xml}");
        assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    }
}
