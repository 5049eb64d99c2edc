//! The body of an answer as it comes in, unpacked where it is packed, and given up where it grows too large or out of
//! proportion. Knows nothing of requests.

use std::io::{Cursor, Read, Write};

use flate2::read::MultiGzDecoder as Unpacking;
use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use zip::ZipArchive;

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
pub(crate) enum Unfit {
    /// It is larger than a page may be.
    #[error("the answer is larger than {} MiB", MAX_ANSWER >> 20)]
    Large,
    /// It unpacks to much more than a page does.
    #[error("the answer unpacks to more than {MAX_RATIO} times its size")]
    Bomb,
    /// It is not packed as it says, or cut off.
    #[error("the connection broke off in the middle of the answer")]
    Broken,
    /// The file that came is not packed as it should be.
    #[error("{0}")]
    Archive(String),
}

/// What a zip archive begins with: the first file, or its end where it has none.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
const GZIP: &[u8] = b"\x1f\x8b";

/// The file in a zip archive whose name fits `wanted`, where `*` stands for anything; without one, the only file in it. None
/// where the body is no archive.
pub(crate) fn from_zip(body: &[u8], wanted: Option<&str>) -> Result<Option<Vec<u8>>, Unfit> {
    if !ZIP.iter().any(|begin| body.starts_with(begin)) {
        return Ok(None);
    }
    let unreadable = |_| Unfit::Archive("the zip archive is not readable, or was cut off".into());
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(unreadable)?;
    let files = archive.file_names().enumerate().filter(|(_, name)| {
        let name = name.as_deref().unwrap_or_default();
        let is_file = !name.ends_with('/') && !name.starts_with("__MACOSX/");
        is_file && wanted.is_none_or(|wanted| fits(name, wanted))
    });
    let files: Vec<usize> = files.map(|(index, _)| index).collect();
    let [index] = files.as_slice() else {
        let which = wanted.map_or_else(String::new, |wanted| format!(" that fits `{wanted}`"));
        return Err(Unfit::Archive(format!(
            "the zip archive has {} files{which}, and not one; name it by `unpack: {{ zip: NAME }}`",
            files.len()
        )));
    };
    let file = archive.by_index(*index).map_err(unreadable)?;
    let packed = usize::try_from(file.compressed_size()).unwrap_or(usize::MAX);
    bounded(file, packed.min(body.len())).map(Some)
}

/// What a gzip file holds. None where the body is none.
pub(crate) fn from_gzip(body: &[u8]) -> Result<Option<Vec<u8>>, Unfit> {
    if !body.starts_with(GZIP) {
        return Ok(None);
    }
    bounded(Unpacking::new(body), body.len()).map(Some)
}

/// All that a packed file of so many bytes holds, as far as a page may be large.
fn bounded(packed: impl Read, size: usize) -> Result<Vec<u8>, Unfit> {
    let most = size.saturating_mul(MAX_RATIO).max(SMALL);
    let mut unpacked = Vec::new();
    let least = most.min(MAX_ANSWER) as u64 + 1;
    let read = packed.take(least).read_to_end(&mut unpacked);
    if unpacked.len() > MAX_ANSWER {
        return Err(Unfit::Large);
    }
    if unpacked.len() > most {
        return Err(Unfit::Bomb);
    }
    match read {
        Ok(_) => Ok(unpacked),
        Err(_) => Err(Unfit::Archive(
            "the packed file is not readable, or was cut off".into(),
        )),
    }
}

/// Whether a name is like this, where `*` stands for anything.
fn fits(name: &str, wanted: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut ended = !wanted.contains('*');
    let parts: Vec<&str> = parts.collect();
    for (at, part) in parts.iter().enumerate() {
        if at + 1 == parts.len() {
            ended = rest.ends_with(part);
        } else if let Some((_, behind)) = rest.split_once(part) {
            rest = behind;
        } else {
            return false;
        }
    }
    ended && (wanted.contains('*') || rest.is_empty())
}

/// A body that is coming in.
pub(super) struct Incoming {
    packed: usize,
    unpacked: Unpacked,
}

/// So much room, in bytes, is made at once for a body that is announced to be as large; for the rest when it comes.
const AHEAD: usize = 4 << 20;

/// How long a body is, as its headers say; 0 where they do not.
fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse().ok());
    length.unwrap_or_default()
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
                Unpacked::Plain(Vec::with_capacity(announced(headers).min(AHEAD)))
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
    #[test]
    fn a_name_fits_what_is_written_with_stars() {
        for (name, wanted, fitting) in [
            ("a.csv", "a.csv", true),
            ("a.csv.bak", "a.csv", false),
            ("x/rent-roll-2026.csv", "x/rent-*.csv", true),
            ("x/rent.csv", "*", true),
            ("ab", "a*b*b", false),
            ("abcb", "a*b*b", true),
            ("a", "aa*", false),
        ] {
            assert_eq!(super::fits(name, wanted), fitting, "{name} {wanted}");
        }
    }

    #[test]
    fn a_packed_file_is_taken_out_of_its_archive_and_bounded() {
        let zip = |files: &[(&str, &[u8])]| {
            let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            for (name, text) in files {
                let options = zip::write::SimpleFileOptions::default();
                writer.start_file(*name, options).unwrap();
                writer.write_all(text).unwrap();
            }
            writer.finish().unwrap().into_inner()
        };
        let one = zip(&[("people.csv", b"Id\n1\n"), ("__MACOSX/._people.csv", b"x")]);
        assert_eq!(from_zip(&one, None), Ok(Some(b"Id\n1\n".to_vec())));
        assert_eq!(from_zip(b"Id\n1\n", None), Ok(None), "it is not packed");
        let two = zip(&[("units.csv", b"u"), ("x/people.csv", b"p")]);
        assert_eq!(from_zip(&two, Some("x/*.csv")), Ok(Some(b"p".to_vec())));
        let told = from_zip(&two, None).unwrap_err().to_string();
        assert!(
            told.starts_with("the zip archive has 2 files, and not one"),
            "{told}"
        );
        let cut = one.get(..one.len() - 9).unwrap();
        assert!(matches!(from_zip(cut, None), Err(Unfit::Archive(_))));
        let blank = vec![b' '; SMALL + 2];
        assert_eq!(from_zip(&zip(&[("a", &blank)]), None), Err(Unfit::Bomb));
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(b"Id\n1\n").unwrap();
        assert_eq!(
            from_gzip(&packed.finish().unwrap()),
            Ok(Some(b"Id\n1\n".to_vec()))
        );
    }

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

    #[test]
    fn as_much_room_as_is_announced_is_made_up_to_a_bound_and_the_body_is_what_came() {
        let announced = |length: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, length.parse().unwrap());
            let mut incoming = Incoming::of(&headers);
            incoming.take(b"what came").unwrap();
            incoming.finish().unwrap()
        };
        for (length, room) in [("1000", 1000), ("9", 9), ("18446744073709551615", AHEAD)] {
            let body = announced(length);
            assert!((room..=2 * room).contains(&body.capacity()), "{length}");
            assert_eq!(body, b"what came", "{length}");
        }
        assert_eq!(announced("-1"), b"what came");
    }
}
