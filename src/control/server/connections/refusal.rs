//! Refusals on a connection on which no request came to its end: written as bytes, as there is no request to answer.

use crate::control::protocol::ProblemDocument;

/// The whole answer.
pub(super) fn answer(problem: &ProblemDocument) -> Vec<u8> {
    let reason = match problem.status {
        400 => "Bad Request",
        408 => "Request Timeout",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    let body = serde_json::to_string(problem).unwrap_or_default();
    format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        problem.status,
        body.len()
    )
    .into_bytes()
}

/// What is said to whoever speaks something else.
pub(super) fn no_request() -> ProblemDocument {
    ProblemDocument::bad_request("this is no HTTP/1.1 request; `curl --unix-socket` makes one")
}

/// The same refusal with its reason, where `bytes` is one that the HTTP library makes of what is no request: a head
/// without a body. No handler of ours refuses without a body.
pub(super) fn with_a_reason(bytes: &[u8]) -> Option<Vec<u8>> {
    let head = bytes.strip_prefix(b"HTTP/1.1 ")?;
    let status = head.get(..3)?;
    let problem = match status {
        b"400" => no_request(),
        b"414" | b"431" => {
            let status = if status == b"414" { 414 } else { 431 };
            ProblemDocument::too_large_head(status)
        }
        _ => return None,
    };
    let text = str::from_utf8(bytes).ok()?;
    let empty = text.ends_with("\r\n\r\n") && text.contains("\r\ncontent-length: 0\r\n");
    (empty && text.matches("\r\n\r\n").count() == 1).then(|| answer(&problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_a_body_gets_one_and_nothing_else_is_touched() {
        let bare = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let told = String::from_utf8(with_a_reason(bare).unwrap()).unwrap();
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let problem: ProblemDocument = serde_json::from_str(body).unwrap();
        assert_eq!(
            (problem.status, &*problem.kind),
            (400, "urn:epms:bad-request")
        );
        for other in [
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400",
            "400 and content-length: 0\r\n\r\n",
            "",
        ] {
            assert_eq!(with_a_reason(other.as_bytes()), None, "{other}");
        }
    }
}
