//! A place for a body that is too long for memory and must be there whole before it is worked on.
//!
//! The file has no name (it is removed as soon as it is open), and what is in it is sealed under a
//! key that is never written: when the request ends, nothing of it is left that anybody could read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use actix_web::web::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::privacy::{self, SecretKey};

/// So much is sealed at a time.
pub(super) const PIECE: usize = 256 << 10;

/// A body on its way in.
pub(super) struct Spool {
    file: File,
    key: SecretKey,
    waiting: Vec<u8>,
    length: u64,
    pieces: u64,
    digest: Sha256,
}

/// The same body on its way out, from any place of it.
pub(super) struct Spooled {
    file: File,
    key: SecretKey,
    length: u64,
    /// Where it is read.
    at: u64,
    /// The piece that was opened last, and which one it is.
    piece: Vec<u8>,
    number: Option<u64>,
}

impl Spool {
    /// An empty one, in a folder of this service.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let name = HEXLOWER.encode(&privacy::random::<16>());
        let path = folder.join(format!("spool-{name}"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        fs::remove_file(&path)?;
        Ok(Self {
            file,
            key: SecretKey::generate(),
            waiting: Vec::new(),
            length: 0,
            pieces: 0,
            digest: Sha256::new(),
        })
    }

    /// The same with more of the body.
    pub(super) fn with(mut self, parts: &[Bytes]) -> io::Result<Self> {
        parts.iter().try_for_each(|part| self.add(part))?;
        Ok(self)
    }

    /// Takes more of the body.
    pub(super) fn add(&mut self, part: &[u8]) -> io::Result<()> {
        self.digest.update(part);
        self.length += part.len() as u64;
        let mut part = part;
        while self.waiting.len() + part.len() >= PIECE {
            let (now, later) = part.split_at(PIECE - self.waiting.len());
            self.waiting.extend_from_slice(now);
            self.seal()?;
            part = later;
        }
        self.waiting.extend_from_slice(part);
        Ok(())
    }

    fn seal(&mut self) -> io::Result<()> {
        let sealed = privacy::seal(&self.key, &self.pieces.to_be_bytes(), &self.waiting);
        self.file.write_all(&sealed)?;
        self.waiting.clear();
        self.pieces += 1;
        Ok(())
    }

    /// How long the body is so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The body, and its SHA-256.
    pub(super) fn finish(mut self) -> io::Result<(Spooled, [u8; 32])> {
        if !self.waiting.is_empty() {
            self.seal()?;
        }
        let spooled = Spooled {
            file: self.file,
            key: self.key,
            length: self.length,
            at: 0,
            piece: Vec::new(),
            number: None,
        };
        Ok((spooled, self.digest.finalize().into()))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spooled {
    /// How long the body is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Opens the piece of this number.
    fn open(&mut self, number: u64) -> io::Result<()> {
        if self.number == Some(number) {
            return Ok(());
        }
        let most = (PIECE + privacy::SEAL) as u64;
        self.file.seek(SeekFrom::Start(number * most))?;
        let mut sealed = Vec::with_capacity(PIECE + privacy::SEAL);
        (&mut self.file).take(most).read_to_end(&mut sealed)?;
        let opened = privacy::open(&self.key, &number.to_be_bytes(), &sealed);
        self.piece = opened.map_err(io::Error::other)?;
        self.number = Some(number);
        Ok(())
    }
}

impl Read for Spooled {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length || into.is_empty() {
            return Ok(0);
        }
        self.open(self.at / PIECE as u64)?;
        // Within a piece, which is in memory.
        let within = (self.at % PIECE as u64) as usize;
        let rest = self.piece.get(within..).unwrap_or_default();
        let length = { rest }.read(into)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Spooled {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_nothing_of_it_lies_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path()).unwrap();
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "it has no name"
        );
        let body: Vec<u8> = (0..PIECE * 5 / 2)
            .map(|place| (place % 251) as u8)
            .collect();
        for part in body.chunks(9_999) {
            spool.add(part).unwrap();
        }
        let (mut spooled, digest) = spool.finish().unwrap();
        let mut lies = Vec::new();
        let mut file = spooled.file.try_clone().unwrap();
        file.rewind().unwrap();
        file.read_to_end(&mut lies).unwrap();
        assert!(lies.len() > body.len());
        assert!(memchr::memmem::find(&lies, &body[..32]).is_none());
        let mut found = Vec::new();
        spooled.read_to_end(&mut found).unwrap();
        assert!(found == body);
        for place in [
            0,
            1,
            PIECE - 1,
            PIECE,
            body.len() - 1,
            body.len(),
            body.len() + 9,
        ] {
            for to in [
                SeekFrom::Start(place as u64),
                SeekFrom::End(place as i64 - body.len() as i64),
            ] {
                assert_eq!(spooled.seek(to).unwrap(), place as u64);
                found.clear();
                spooled.read_to_end(&mut found).unwrap();
                assert!(found == body.get(place..).unwrap_or_default(), "{place}");
            }
        }
        assert!(spooled.seek(SeekFrom::End(-1 - body.len() as i64)).is_err());
        assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(&body)));
        let (mut empty, _) = Spool::new(folder.path()).unwrap().finish().unwrap();
        assert_eq!(empty.read_to_end(&mut found).unwrap(), 0);
    }
}
