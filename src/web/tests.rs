//! Every template, with the least and the most that its page may give it, is in the tests of the daemon; here: that all are
//! read, and that a problem is a page.

use crate::control::protocol::ProblemDocument;

use super::look::Look;

#[test]
fn every_template_is_read_and_a_problem_is_a_page_with_its_status() {
    let look = Look::new().unwrap();
    let problem = ProblemDocument::not_found("there is no person p9; `epms people` lists them");
    let answer = look.problem(&problem);
    assert_eq!(answer.status(), 404);
    let policy = answer.headers().get("content-security-policy").unwrap();
    assert!(policy.to_str().unwrap().starts_with("default-src 'none'; "));
    assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
}
