//! The results of mapping tests as JUnit XML, as the usual readers take it.

use std::fmt::Write;

use crate::cases::CaseOutcome;
use crate::model::shown_lines;

/// The results as a file of JUnit.
pub(super) fn junit(cases: &[CaseOutcome]) -> String {
    let escape = |text: &str| quick_xml::escape::escape(shown_lines(text)).into_owned();
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
            printed: Vec::new(),
            name: "yardi/a<b".into(),
            file: "f".into(),
            passed: false,
            diff: vec!["- a & b".into()],
        };
        let xml = junit(std::slice::from_ref(&case));
        assert!(xml.contains("classname=\"yardi\" name=\"a&lt;b\""), "{xml}");
        assert!(xml.contains("- a &amp; b"), "{xml}");
        assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    }

    /// D5.
    #[test]
    fn junit_is_well_formed_whatever_a_record_holds() {
        let all: String = (0..0x1_0000_u32).filter_map(char::from_u32).collect();
        let case = CaseOutcome {
            printed: Vec::new(),
            name: "yardi/a\u{1b}b".into(),
            file: "f".into(),
            passed: false,
            diff: vec![all, "- \u{202e}a".into()],
        };
        let xml = junit(&[case]);
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(xml.chars().all(allowed));
        assert!(!xml.contains(['\u{1b}', '\u{202e}', '\u{85}']));
        let mut reader = quick_xml::Reader::from_str(&xml);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    }
}
