//! Length and SHA-256 hash of a stream.

use std::fmt::Write as _;
use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

/// Computes length and SHA-256 hash of the bytes that pass through it.
pub struct Digest<T> {
    stream: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Digest<T> {
    /// Reads from or writes to `stream`.
    pub fn new(stream: T) -> Self {
        Self { stream, hash: Sha256::new(), bytes: 0 }
    }

    /// The length in bytes, and the hash in hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> (u64, String) {
        let mut hash = String::new();
        for byte in self.hash.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        (self.bytes, hash)
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Digest<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.pass(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

impl<W: Write> Write for Digest<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.stream.write(buffer)?;
        self.pass(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The hash of a text in memory.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut digest = Digest::new(io::sink());
    digest.pass(bytes);
    digest.finish().1
}
