//! Answers that are as long as they are: to a file or to standard output, at constant memory, and
//! never taken for whole when they are not.

use std::io::{self, ErrorKind, Read, Write};

use ureq::Body;
use ureq::http::Response;

use super::place::{Place, cannot_write};
use crate::cli::Failure;
use crate::cli::output::{cannot_print, note};

/// How much is read at a time.
pub(super) const PIECE: usize = 64 << 10;

/// Which side of a copy failed.
pub(super) enum Broken {
    /// Where it came from, and why.
    Reading(String),
    /// Where it went.
    Writing(io::Error),
}

/// Makes sure that this is what was asked for, and that its end can be told from a broken
/// connection.
pub(super) fn whole_can_be_told(
    response: &Response<Body>,
    media_type: &str,
) -> Result<(), Failure> {
    let header = |name| {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if !header("content-type").starts_with(media_type) {
        return Err(Failure::new(
            "what answers is not metrust\n  remedy:     look whether the address is right, and \
             whether a proxy in between answers in its place",
        ));
    }
    let chunked = header("transfer-encoding")
        .to_ascii_lowercase()
        .contains("chunked");
    if !chunked && header("content-length").is_empty() {
        return Err(Failure::new(
            "the answer comes in a form whose end cannot be told from a broken connection\n  \
             remedy:     ask the service without the proxy in between",
        ));
    }
    Ok(())
}

/// Writes everything to a file, or to standard output, and says whether anybody took it.
pub(super) fn deliver(body: &mut impl Read, place: Option<&Place<'_>>) -> Result<bool, Failure> {
    let Some(place) = place else {
        return match copy(body, &mut io::stdout().lock(), &mut |_| ()) {
            // Whoever reads this has enough, as `head` does.
            Err(Broken::Writing(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(Broken::Writing(error)) => Err(cannot_print(&error)),
            Err(Broken::Reading(why)) => {
                let so = "what was printed is not all of it";
                Err(incomplete(&why, so, "run it again"))
            }
            Ok(_) => Ok(true),
        };
    };
    let bytes = place.fill(body)?;
    let file = place.file.display();
    note(&format!("{file} is complete: {bytes} bytes"));
    Ok(true)
}

/// That not all of it came: why, where what came is, and what to do.
pub(super) fn incomplete(why: &str, so: &str, remedy: &str) -> Failure {
    Failure::new(format!(
        "WHAT CAME IS INCOMPLETE: {why}; {so}\n  remedy:     {remedy}; the service's log says more \
         if it broke off there"
    ))
}

/// Copies to the end and gives the number of bytes; `watch` sees each piece when it is written.
pub(super) fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    watch: &mut dyn FnMut(&[u8]),
) -> Result<u64, Broken> {
    let mut piece = vec![0; PIECE];
    let mut total = 0;
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(Broken::Reading(
                    "the connection was closed before the end".to_owned(),
                ));
            }
            Err(error) => return Err(Broken::Reading(error.to_string())),
        };
        to.write_all(&piece[..length]).map_err(Broken::Writing)?;
        watch(&piece[..length]);
        total += length as u64;
    }
    to.flush().map_err(Broken::Writing)?;
    Ok(total)
}

impl Place<'_> {
    /// Fills the file and gives it its name; the number of bytes.
    pub(super) fn fill(&self, body: &mut impl Read) -> Result<u64, Failure> {
        let mut part = self.begin()?;
        let bytes = copy(body, &mut part, &mut |_| ()).map_err(|broken| match broken {
            Broken::Writing(error) => cannot_write(&self.part, &error),
            Broken::Reading(why) => {
                let so = format!("what arrived is in {}", self.part.display());
                incomplete(&why, &so, "run it again")
            }
        })?;
        self.finish(&part)?;
        Ok(bytes)
    }
}
