//! A place for a body that is too long for memory and must be there whole before it is worked on.
//!
//! The file has no name (it is removed as soon as it is open), and what is in it is sealed under a
//! key that is never written: when the request ends, nothing of it is left that anybody could read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::privacy::{self, SecretKey};

/// So much is sealed at a time.
const PIECE: usize = 256 << 10;

/// A body on its way in.
pub(super) struct Spool {
    file: File,
    key: SecretKey,
    waiting: Vec<u8>,
    pieces: u64,
    digest: Sha256,
}

/// The same body on its way out, from its beginning.
pub(super) struct Spooled {
    file: io::BufReader<File>,
    key: SecretKey,
    piece: io::Cursor<Vec<u8>>,
    read: u64,
    pieces: u64,
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
            pieces: 0,
            digest: Sha256::new(),
        })
    }

    /// Takes more of the body.
    pub(super) fn add(&mut self, part: &[u8]) -> io::Result<()> {
        self.digest.update(part);
        self.waiting.extend_from_slice(part);
        if self.waiting.len() >= PIECE {
            self.seal()?;
        }
        Ok(())
    }

    fn seal(&mut self) -> io::Result<()> {
        let sealed = privacy::seal(&self.key, &self.pieces.to_be_bytes(), &self.waiting);
        self.file.write_all(&(sealed.len() as u64).to_be_bytes())?;
        self.file.write_all(&sealed)?;
        self.waiting.clear();
        self.pieces += 1;
        Ok(())
    }

    /// The body, and its SHA-256.
    pub(super) fn finish(mut self) -> io::Result<(Spooled, [u8; 32])> {
        if !self.waiting.is_empty() {
            self.seal()?;
        }
        self.file.rewind()?;
        let spooled = Spooled {
            file: io::BufReader::new(self.file),
            key: self.key,
            piece: io::Cursor::default(),
            read: 0,
            pieces: self.pieces,
        };
        Ok((spooled, self.digest.finalize().into()))
    }
}

impl Spooled {
    /// From its beginning again.
    pub(super) fn rewind(mut self) -> io::Result<Self> {
        self.file.rewind()?;
        self.piece = io::Cursor::default();
        self.read = 0;
        Ok(self)
    }
}

impl Read for Spooled {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.piece.read(into)?;
            if length > 0 || into.is_empty() || self.read == self.pieces {
                return Ok(length);
            }
            let mut length = [0; 8];
            self.file.read_exact(&mut length)?;
            let mut sealed = Vec::new();
            let length = u64::from_be_bytes(length);
            (&mut self.file).take(length).read_to_end(&mut sealed)?;
            let opened = privacy::open(&self.key, &self.read.to_be_bytes(), &sealed);
            self.piece = io::Cursor::new(opened.map_err(io::Error::other)?);
            self.read += 1;
        }
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
        let mut file = spooled.file.get_ref().try_clone().unwrap();
        file.read_to_end(&mut lies).unwrap();
        assert!(lies.len() > body.len());
        assert!(memchr::memmem::find(&lies, &body[..32]).is_none());
        file.rewind().unwrap();
        let mut found = Vec::new();
        spooled.read_to_end(&mut found).unwrap();
        assert!(found == body);
        assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(&body)));
        let (mut empty, _) = Spool::new(folder.path()).unwrap().finish().unwrap();
        assert_eq!(empty.read_to_end(&mut found).unwrap(), 0);
    }
}
