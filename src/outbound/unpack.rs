//! The body of an answer as it comes in, unpacked where it is packed, and given up where it grows too large or out of
//! proportion. Knows nothing of requests.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// An answer larger than this is no page, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An answer that unpacks to more than so many times its size is made to be large. Pages of people are packed to a
/// tenth, at most to a fiftieth.
const MAX_RATIO: usize = 200;

/// Below so many bytes the proportion does not matter.
const SMALL: usize = 1024 * 1024;

/// So many bytes are unpacked at once: they become a thousand times as many at the most.
const STEP: usize = 1024;

/// Why a body is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// It is larger than a page may be.
    #[error("the answer is larger than {} MiB", MAX_ANSWER >> 20)]
    Large,
    /// It unpacks to much more than a page does.
    #[error("the answer unpacks to more than {MAX_RATIO} times its size")]
    Bomb,
    /// It is not packed as it says, or cut off.
    #[error("the connection broke off in the middle of the answer")]
    Broken,
}

/// A body that is coming in.
pub(super) struct Incoming {
    packed: usize,
    unpacked: Unpacked,
}

enum Unpacked {
    Plain(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Incoming {
    /// The body of an answer with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Incoming {
        let encoding = headers.get(CONTENT_ENCODING);
        let is_gzip = encoding.is_some_and(|name| {
            let name = name.as_bytes();
            name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip")
        });
        Incoming {
            packed: 0,
            unpacked: if is_gzip {
                Unpacked::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
            } else {
                Unpacked::Plain(Vec::new())
            },
        }
    }

    /// Takes in what came.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Result<(), Unfit> {
        match &mut self.unpacked {
            Unpacked::Plain(body) => {
                if body.len() + chunk.len() > MAX_ANSWER {
                    return Err(Unfit::Large);
                }
                body.extend_from_slice(chunk);
            }
            Unpacked::Gzip(decoder) => {
                for step in chunk.chunks(STEP) {
                    decoder.write_all(step).map_err(|_| Unfit::Broken)?;
                    self.packed += step.len();
                    let size = decoder.get_ref().len();
                    if size > SMALL && size / MAX_RATIO > self.packed {
                        return Err(Unfit::Bomb);
                    }
                    if size > MAX_ANSWER {
                        return Err(Unfit::Large);
                    }
                }
            }
        }
        Ok(())
    }

    /// The whole body.
    pub(super) fn finish(self) -> Result<Vec<u8>, Unfit> {
        match self.unpacked {
            Unpacked::Plain(body) => Ok(body),
            // Nothing at all is packed as nothing, too.
            Unpacked::Gzip(_) if self.packed == 0 => Ok(Vec::new()),
            // The last of it comes out only now.
            Unpacked::Gzip(decoder) => match decoder.finish() {
                Ok(body) if body.len() > MAX_ANSWER => Err(Unfit::Large),
                Ok(body) => Ok(body),
                Err(_) => Err(Unfit::Broken),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn unpacked(body: &[u8], pieces: usize) -> Result<Vec<u8>, Unfit> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        let mut incoming = Incoming::of(&headers);
        for chunk in body.chunks(pieces) {
            incoming.take(chunk)?;
        }
        incoming.finish()
    }

    #[test]
    fn a_packed_body_is_unpacked_however_it_comes() {
        let ids: Vec<String> = (0..20_000).map(|n| format!("{{\"id\":{n}}}")).collect();
        let text = ids.join(",");
        let body = packed(text.as_bytes());
        for pieces in [1, 700, 1 << 20] {
            assert_eq!(unpacked(&body, pieces).unwrap(), text.as_bytes());
        }
        let twice = [packed(b"one "), packed(b"two")].concat();
        assert_eq!(unpacked(&twice, 9).unwrap(), b"one two");
        assert_eq!(unpacked(b"", 1).unwrap(), b"");
    }

    #[test]
    fn what_unpacks_out_of_proportion_is_given_up_before_it_is_large() {
        let body = packed(&vec![b' '; 32 << 20]);
        let told = unpacked(&body, 1 << 20).map(|body| body.len());
        assert_eq!(told, Err(Unfit::Bomb));
        // A small one may be as empty as it likes.
        assert!(unpacked(&packed(&vec![b' '; SMALL]), 1 << 20).is_ok());
    }

    #[test]
    fn what_is_larger_than_a_page_is_given_up_packed_or_not() {
        let mut plain = Incoming::of(&HeaderMap::new());
        assert_eq!(plain.take(&vec![b'a'; MAX_ANSWER]), Ok(()));
        assert_eq!(plain.take(b"a"), Err(Unfit::Large));
        // Every sixteenth byte is by chance: packed to some twentieth.
        let mut chance = fastrand::Rng::with_seed(7);
        let mut byte = || {
            if chance.u8(..16) == 0 {
                chance.u8(..)
            } else {
                b'a'
            }
        };
        let megabyte: Vec<u8> = (0..1 << 20).map(|_| byte()).collect();
        let body = packed(&megabyte.repeat(MAX_ANSWER / megabyte.len() + 1));
        assert!(body.len() * MAX_RATIO > MAX_ANSWER, "{}", body.len());
        let told = unpacked(&body, 1 << 16).map(|body| body.len());
        assert_eq!(told, Err(Unfit::Large));
    }

    #[test]
    fn what_is_cut_off_or_no_gzip_is_broken() {
        let body = packed(b"a text that is long enough to be cut");
        assert_eq!(unpacked(&body[..body.len() / 2], 5), Err(Unfit::Broken));
        assert_eq!(unpacked(b"{\"data\":[]}", 5), Err(Unfit::Broken));
    }
}
