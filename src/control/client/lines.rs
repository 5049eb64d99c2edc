//! An answer that comes line by line. It does not know what the lines mean.

use std::path::Path;

use reqwest::Response;

use super::ClientError;

/// The lines of an answer, as they come.
pub(super) struct Lines {
    response: Response,
    /// What has come and was not given yet.
    rest: Vec<u8>,
    /// How much of `rest` holds no end of a line.
    searched: usize,
}

impl Lines {
    pub(super) fn of(response: Response) -> Self {
        Lines {
            response,
            rest: Vec::new(),
            searched: 0,
        }
    }

    /// The next line without its end; none at the end of the answer. A last line without an end was
    /// cut off, and is not given.
    pub(super) async fn next(&mut self, socket: &Path) -> Result<Option<String>, ClientError> {
        loop {
            let end = self
                .rest
                .iter()
                .skip(self.searched)
                .position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let mut line: Vec<u8> = self.rest.drain(..=self.searched + end).collect();
                self.searched = 0;
                line.pop();
                line.pop_if(|byte| *byte == b'\r');
                return String::from_utf8(line).map(Some).map_err(|_| {
                    ClientError::Broken(format!(
                        "the answer of {} is not UTF-8; is it an epms of this version?",
                        socket.display()
                    ))
                });
            }
            self.searched = self.rest.len();
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.rest.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(ClientError::of_transport(socket, &error)),
            }
        }
    }
}
