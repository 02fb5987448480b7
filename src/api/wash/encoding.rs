//! Compression on the way out: gzip (RFC 1952) and zstd (RFC 8878), in constant memory, piece by
//! piece.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::table::Coding;

/// On the way out speed counts: the network is rarely slower.
const LEVEL: i32 = 1;

/// The best one that a client takes, by its `Accept-Encoding` (RFC 9110, section 12.5.3).
/// Compression is only done where it is asked for by name.
pub(super) fn accepted(header: &str) -> Coding {
    let mut best = (Coding::Plain, 0.0);
    for item in header.split(',') {
        let mut parts = item.split(';');
        let coding = Coding::parse(parts.next().unwrap_or_default().trim());
        let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
        let weight = weight.map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
        let Some(coding) = coding.filter(|coding| *coding != Coding::Plain) else {
            continue;
        };
        if weight > best.1 || (weight == best.1 && coding == Coding::Zstd) {
            best = (coding, weight);
        }
    }
    if best.1 > 0.0 { best.0 } else { Coding::Plain }
}

/// Packs what goes.
pub(super) enum Encoder {
    Plain,
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Encoder {
    pub fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Plain => Self::Plain,
            Coding::Gzip => {
                let stream = GzEncoder::new(Vec::new(), Compression::fast());
                Self::Gzip(Box::new(stream))
            }
            Coding::Zstd => {
                let stream = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
                Self::Zstd(Box::new(stream))
            }
        })
    }

    /// The same bytes packed, so that whoever has them can unpack all of them.
    pub fn piece(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(bytes),
            Self::Gzip(stream) => {
                stream.write_all(&bytes)?;
                stream.flush()?;
                Ok(std::mem::take(stream.get_mut()))
            }
            Self::Zstd(stream) => {
                stream.write_all(&bytes)?;
                stream.flush()?;
                Ok(std::mem::take(stream.get_mut()))
            }
        }
    }

    /// The last bytes, and the end of the packing.
    pub fn finish(self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(bytes),
            Self::Gzip(mut stream) => {
                stream.write_all(&bytes)?;
                stream.finish()
            }
            Self::Zstd(mut stream) => {
                stream.write_all(&bytes)?;
                stream.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::table::Decoder;

    fn packed(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(coding).unwrap();
        let mut packed = Vec::new();
        for piece in bytes.chunks(1_000) {
            packed.extend(encoder.piece(piece.to_vec()).unwrap());
        }
        packed.extend(encoder.finish(b"end".to_vec()).unwrap());
        packed
    }

    /// Unpacks pieces of any length, and says how much came of a step at most.
    fn unpacked(coding: Coding, bytes: &[u8], piece: usize) -> io::Result<(Vec<u8>, usize)> {
        let mut decoder = Decoder::new(coding)?;
        let (mut all, mut most) = (Vec::new(), 0);
        for piece in bytes.chunks(piece) {
            let mut piece = Bytes::copy_from_slice(piece);
            let mut into = Vec::new();
            while decoder.step(&mut piece, &mut into)? {
                most = most.max(into.len());
                all.append(&mut into);
            }
        }
        decoder.finish(&mut all)?;
        Ok((all, most))
    }

    #[test]
    fn what_is_packed_is_unpacked_in_pieces_of_any_length() {
        let text: Vec<u8> = (0..20_000_u32)
            .flat_map(|n| n.to_string().into_bytes())
            .collect();
        for coding in [Coding::Plain, Coding::Gzip, Coding::Zstd] {
            let packed = packed(coding, &text);
            for piece in [1, 7, 1_000, packed.len()] {
                let (found, _) = unpacked(coding, &packed, piece).unwrap();
                assert!(found == [&text[..], b"end"].concat(), "{coding:?} {piece}");
            }
            // Two of them behind each other are one, as `cat a.gz b.gz` makes them.
            let twice = [&packed[..], &packed].concat();
            let (found, _) = unpacked(coding, &twice, 100).unwrap();
            assert_eq!(found.len(), 2 * (text.len() + 3), "{coding:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let packed = packed(coding, &b"0123456789".repeat(1_000));
            for length in [5, packed.len() / 2, packed.len() - 1] {
                assert!(
                    unpacked(coding, &packed[..length], 10).is_err(),
                    "{coding:?} {length}"
                );
            }
            assert!(unpacked(coding, b"+32470123456\n", 5).is_err());
        }
    }

    #[test]
    fn a_few_bytes_that_hold_very_much_are_unpacked_a_little_at_a_time() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut packed = Vec::new();
            for _ in 0..64 {
                packed.extend(encoder.piece(vec![0; 1 << 20]).unwrap());
            }
            packed.extend(encoder.finish(Vec::new()).unwrap());
            assert!(packed.len() < 1 << 20, "{}", packed.len());
            let (found, most) = unpacked(coding, &packed, packed.len()).unwrap();
            assert_eq!(found.len(), 64 << 20);
            assert!(most < 256 << 10, "{coding:?}: {most} at once");
        }
    }

    #[test]
    fn the_client_says_what_it_takes() {
        for (header, coding) in [
            ("", Coding::Plain),
            ("*", Coding::Plain),
            ("br, deflate", Coding::Plain),
            ("gzip", Coding::Gzip),
            ("gzip, deflate, br, zstd", Coding::Zstd),
            ("zstd;q=0.5, gzip;q=0.8", Coding::Gzip),
            ("zstd;q=0, gzip;q=0", Coding::Plain),
        ] {
            assert_eq!(accepted(header), coding, "{header}");
        }
    }
}
