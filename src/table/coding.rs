//! From the bytes of a file to text: unpacked where it is packed by gzip (RFC 1952) or zstd (RFC
//! 8878), and in UTF-8 where it was in UTF-16, in constant memory, piece by piece. Text in
//! Windows-1252 stays what it is; see [`Encoding`](super::Encoding).

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use encoding_rs::{UTF_16BE, UTF_16LE};
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

/// How much is unpacked at a time, about. However much a few bytes may hold, no more of it is in
/// memory at once.
const STEP: usize = 64 << 10;

/// The widest window of zstd that is taken, as a power of two: 8 MiB, as RFC 9659 has it.
const WINDOW: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// Reads the name of a content coding (RFC 9110, section 8.4.1).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name, if it must be told.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Unpacks what comes.
pub struct Decoder(Stream);

enum Stream {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<Zstd>),
}

struct Zstd {
    stream: zstd::stream::raw::Decoder<'static>,
    room: Vec<u8>,
    /// Whether it holds more than there was room for.
    more: bool,
    /// Whether a frame has begun and not ended.
    inside: bool,
}

impl Decoder {
    /// # Errors
    /// When there is no memory for it.
    pub fn new(coding: Coding) -> io::Result<Self> {
        Ok(Self(match coding {
            Coding::Plain => Stream::Plain,
            Coding::Gzip => Stream::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Coding::Zstd => {
                let mut stream = zstd::stream::raw::Decoder::new()?;
                stream.set_parameter(DParameter::WindowLogMax(WINDOW))?;
                Stream::Zstd(Box::new(Zstd {
                    stream,
                    room: vec![0; STEP],
                    more: false,
                    inside: false,
                }))
            }
        }))
    }

    /// Takes some of what came and adds what it holds, a piece at most; whether there was any.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn step(&mut self, came: &mut Bytes, into: &mut Vec<u8>) -> io::Result<bool> {
        let before = into.len();
        match &mut self.0 {
            Stream::Plain => {
                into.extend_from_slice(came);
                came.clear();
            }
            Stream::Gzip(stream) => {
                while into.len() - before < STEP && !came.is_empty() {
                    let taken = stream.write(came)?;
                    came.advance(taken);
                    if came.is_empty() {
                        stream.flush()?;
                    }
                    into.append(stream.get_mut());
                    if taken == 0 {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                }
            }
            Stream::Zstd(zstd) => {
                while into.len() - before < STEP && (zstd.more || !came.is_empty()) {
                    zstd.step(came, into)?;
                }
            }
        }
        Ok(into.len() > before)
    }

    /// Makes sure that this was the end, and adds what is left.
    ///
    /// # Errors
    /// When it is cut off.
    pub fn finish(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.0 {
            Stream::Plain => Ok(()),
            Stream::Gzip(stream) => {
                stream.try_finish()?;
                into.append(stream.get_mut());
                Ok(())
            }
            Stream::Zstd(zstd) if zstd.inside => Err(io::ErrorKind::UnexpectedEof.into()),
            Stream::Zstd(_) => Ok(()),
        }
    }
}

impl Zstd {
    fn step(&mut self, came: &mut Bytes, into: &mut Vec<u8>) -> io::Result<()> {
        let mut from = InBuffer::around(came);
        let mut to = OutBuffer::around(&mut self.room[..]);
        let left = self.stream.run(&mut from, &mut to)?;
        let (taken, given) = (from.pos(), to.pos());
        into.extend_from_slice(&self.room[..given]);
        came.advance(taken);
        self.inside = left != 0;
        self.more = given == self.room.len() && self.inside;
        if taken == 0 && given == 0 && !came.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }
}

/// Turns what a file holds into text.
pub struct Text {
    decoder: Decoder,
    /// What came of the file before it could be told what it is; nothing since.
    beginning: Option<Vec<u8>>,
    unpacked: Vec<u8>,
    form: Unicode,
}

enum Unicode {
    /// Not told yet.
    Unknown,
    /// Passed on as it is.
    Bytes,
    Utf16(Box<encoding_rs::Decoder>),
}

/// How many bytes tell what a file is.
const ENOUGH: usize = 4;

impl Text {
    /// For a file that is packed so; where that is not said, its first bytes tell.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(coding: Coding) -> io::Result<Self> {
        Ok(Self {
            decoder: Decoder::new(coding)?,
            beginning: (coding == Coding::Plain).then(Vec::new),
            unpacked: Vec::new(),
            form: Unicode::Unknown,
        })
    }

    /// Takes some of what came and adds the text that it holds; whether there was any. If there was
    /// none, all of what came is taken.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn step(&mut self, came: &mut Bytes, into: &mut Vec<u8>) -> io::Result<bool> {
        if let Some(mut beginning) = self.beginning.take() {
            beginning.extend_from_slice(came);
            came.clear();
            if beginning.len() < ENOUGH {
                self.beginning = Some(beginning);
                return Ok(false);
            }
            self.begin(&beginning)?;
            *came = beginning.into();
        }
        if let Unicode::Bytes = self.form {
            return self.decoder.step(came, into);
        }
        let before = into.len();
        while into.len() == before && self.decoder.step(came, &mut self.unpacked)? {
            self.pass_on(into, false);
        }
        Ok(into.len() > before)
    }

    /// Makes sure that this was the end, and adds what is left.
    ///
    /// # Errors
    /// When it is cut off.
    pub fn finish(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        if let Some(beginning) = self.beginning.take() {
            self.unpacked = beginning;
        }
        self.decoder.finish(&mut self.unpacked)?;
        self.pass_on(into, true);
        Ok(())
    }

    fn begin(&mut self, start: &[u8]) -> io::Result<()> {
        self.decoder = Decoder::new(packed(start))?;
        Ok(())
    }

    fn pass_on(&mut self, into: &mut Vec<u8>, last: bool) {
        if let Unicode::Unknown = self.form {
            if self.unpacked.len() < ENOUGH && !last {
                return;
            }
            self.form = match utf16(&self.unpacked) {
                Some(encoding) => {
                    let decoder = encoding.new_decoder_without_bom_handling();
                    Unicode::Utf16(Box::new(decoder))
                }
                None => Unicode::Bytes,
            };
        }
        let Unicode::Utf16(decoder) = &mut self.form else {
            into.append(&mut self.unpacked);
            return;
        };
        let most = decoder.max_utf8_buffer_length(self.unpacked.len());
        let start = into.len();
        // No more than a few times what is there.
        into.resize(start + most.unwrap_or_default(), 0);
        let (_, _, written, _) = decoder.decode_to_utf8(&self.unpacked, &mut into[start..], last);
        into.truncate(start + written);
        self.unpacked.clear();
    }
}

/// Which UTF-16 a text begins in, if it does: by its mark, or as every other byte is nothing.
fn utf16(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match start {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some(UTF_16LE),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some(UTF_16BE),
        _ => None,
    }
}

fn packed(start: &[u8]) -> Coding {
    match start {
        [0x1f, 0x8b, ..] => Coding::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Coding::Zstd,
        _ => Coding::Plain,
    }
}

/// Whether the text of a file that begins so is the file itself.
#[must_use]
pub fn is_text(start: &[u8]) -> bool {
    packed(start) == Coding::Plain && utf16(start).is_none()
}

/// Reads the text of a file.
pub struct TextReader<R> {
    from: R,
    text: Text,
    came: Bytes,
    ready: Vec<u8>,
    read: usize,
    ended: bool,
}

impl<R: Read> TextReader<R> {
    /// # Errors
    /// When there is no memory for it.
    pub fn new(from: R) -> io::Result<Self> {
        Ok(Self {
            from,
            text: Text::new(Coding::Plain)?,
            came: Bytes::new(),
            ready: Vec::new(),
            read: 0,
            ended: false,
        })
    }
}

impl<R: Read> Read for TextReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.ready.len() && !self.ended {
            self.ready.clear();
            self.read = 0;
            if self.text.step(&mut self.came, &mut self.ready)? {
                continue;
            }
            let mut piece = vec![0; STEP];
            let length = self.from.read(&mut piece)?;
            piece.truncate(length);
            self.came = piece.into();
            if length == 0 {
                self.ended = true;
                self.text.finish(&mut self.ready)?;
            }
        }
        let length = (&self.ready[self.read..]).read(into)?;
        self.read += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: &[u8], piece: usize) -> io::Result<String> {
        let mut text = Text::new(Coding::Plain)?;
        let mut all = Vec::new();
        for piece in file.chunks(piece) {
            let mut piece = Bytes::copy_from_slice(piece);
            while text.step(&mut piece, &mut all)? {}
            assert!(piece.is_empty());
        }
        text.finish(&mut all)?;
        let mut read = Vec::new();
        TextReader::new(file)?.read_to_end(&mut read)?;
        assert_eq!(read, all);
        Ok(String::from_utf8_lossy(&all).into_owned())
    }

    #[test]
    fn text_in_utf16_and_packed_text_are_read_in_pieces_of_any_length() {
        let plain = "naam;téléphone\r\nJürgen;+32470000301\r\n😀;1\n";
        let little: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = plain.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = format!("\u{feff}{plain}");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&[b"\xff\xfe".as_slice(), &little].concat())
            .unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(plain.as_bytes(), 1).unwrap();
        for piece in [1, 2, 3, 7, 1_000] {
            assert_eq!(text(plain.as_bytes(), piece).unwrap(), plain);
            assert_eq!(text(&little, piece).unwrap(), plain);
            assert_eq!(text(&big, piece).unwrap(), plain);
            let with_mark = [b"\xff\xfe".as_slice(), &little].concat();
            assert_eq!(text(&with_mark, piece).unwrap(), marked);
            let with_mark = [b"\xfe\xff".as_slice(), &big].concat();
            assert_eq!(text(&with_mark, piece).unwrap(), marked);
            assert_eq!(text(&gzip, piece).unwrap(), marked);
            assert_eq!(text(&zstd, piece).unwrap(), plain);
            assert!(text(&gzip[..gzip.len() - 3], piece).is_err());
        }
        for short in ["", "1", "+3", "abc"] {
            assert_eq!(text(short.as_bytes(), 1).unwrap(), short);
        }
        assert_eq!(text(b"phone\n\xe9\n", 2).unwrap(), "phone\n\u{fffd}\n");
    }
}
